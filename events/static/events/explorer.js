// Comfort only: every page does without it. No inline code, no style attributes.
"use strict";

(() => {
    const translate = window.gettext || ((text) => text);

    // --- copy ---

    async function copy(text) {
        if (navigator.clipboard) {
            await navigator.clipboard.writeText(text);
            return;
        }
        // Browsers have no clipboard for pages that came over plain HTTP.
        const area = document.createElement("textarea");
        area.value = text;
        area.className = "explorer-offscreen";
        document.body.append(area);
        area.select();
        document.execCommand("copy");
        area.remove();
    }

    function addCopyButtons() {
        for (const source of document.querySelectorAll(".explorer-raw pre, [data-explorer-copy]")) {
            const button = document.createElement("button");
            button.type = "button";
            button.className = "explorer-copy";
            button.textContent = translate("Copy");
            button.addEventListener("click", async () => {
                await copy(source.dataset.explorerCopy || source.textContent);
                button.textContent = translate("Copied");
            });
            source.before(button);
        }
    }

    // --- times: of the server's zone, of the reader's, or as ages ---

    const FORMS = ["server", "local", "age"];
    const UNITS = [
        ["day", 86400],
        ["hour", 3600],
        ["minute", 60],
        ["second", 1],
    ];

    function ageOf(moment) {
        const seconds = (moment - Date.now()) / 1000;
        const format = new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: "auto" });
        const [unit, size] = UNITS.find(([, size]) => Math.abs(seconds) >= size) || UNITS[3];
        return format.format(Math.round(seconds / size), unit);
    }

    function showTimes(form) {
        for (const element of document.querySelectorAll("time.explorer-time")) {
            element.dataset.server ||= element.textContent;
            const moment = new Date(element.dateTime);
            const texts = { local: () => moment.toLocaleString(), age: () => ageOf(moment) };
            element.textContent = (texts[form] || (() => element.dataset.server))();
        }
    }

    function rememberedForm() {
        try {
            return localStorage.getItem("explorer.times") || "server";
        } catch {
            return "server";
        }
    }

    function nextForm() {
        const form = FORMS[(FORMS.indexOf(rememberedForm()) + 1) % FORMS.length];
        try {
            localStorage.setItem("explorer.times", form);
        } catch {
            // A browser that keeps nothing shows it this once.
        }
        showTimes(form);
    }

    // --- keys ---

    function rows() {
        return [...document.querySelectorAll("#result_list tbody tr, .explorer-rows tbody tr")];
    }

    function moveTo(step) {
        const all = rows();
        const current = all.findIndex((row) => row.contains(document.activeElement));
        const target = all[Math.max(0, Math.min(all.length - 1, current + step))];
        target?.querySelector("a")?.focus();
    }

    function follow(relation) {
        document.querySelector(`#content a[rel="${relation}"]`)?.click();
    }

    const KEYS = {
        "/": () => document.querySelector("#searchbar, #explorer-search")?.focus(),
        j: () => moveTo(1),
        k: () => moveTo(-1),
        "[": () => follow("prev"),
        "]": () => follow("next"),
        t: nextForm,
        "?": () => document.querySelector("#explorer-keys")?.showModal(),
    };

    function onKey(event) {
        const typing = event.target.closest("input, textarea, select, [contenteditable]");
        if (typing && event.key === "Escape") {
            event.target.blur();
        }
        if (typing || event.ctrlKey || event.metaKey || event.altKey || !(event.key in KEYS)) {
            return;
        }
        event.preventDefault();
        KEYS[event.key]();
    }

    addCopyButtons();
    showTimes(rememberedForm());
    document.addEventListener("keydown", onKey);
})();
