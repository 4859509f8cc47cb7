// Comfort only: every page does without it. No inline code, no style attributes.
"use strict";

(() => {
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
        for (const source of document.querySelectorAll("[data-copy]")) {
            const button = document.createElement("button");
            button.type = "button";
            button.className = "explorer-copy";
            button.textContent = source.dataset.copy;
            button.addEventListener("click", async () => {
                await copy(source.textContent);
                button.textContent = source.dataset.copied;
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

    // --- the list of events, followed live: asked for again while its first row is another ---

    const FOLLOW_EVERY_MS = 3000;

    function follower(mark) {
        const button = document.createElement("button");
        const status = document.createElement("span");
        button.type = "button";
        button.className = "explorer-button";
        button.textContent = mark.dataset.label;
        button.setAttribute("aria-pressed", "false");
        status.setAttribute("role", "status");
        status.className = "explorer-size";
        mark.append(button, status);
        let timer = null;

        function stop() {
            clearInterval(timer);
            timer = null;
            button.textContent = mark.dataset.label;
            button.setAttribute("aria-pressed", "false");
        }

        async function look() {
            if (document.hidden) {
                return;
            }
            const headers = { "X-Explorer-Rows": mark.dataset.explorerLive };
            const response = await fetch(location.href, { headers, redirect: "error" });
            if (response.status === 304) {
                return;
            }
            if (!response.ok) {
                stop();
                return;
            }
            const page = new DOMParser().parseFromString(await response.text(), "text/html");
            const fresh = page.querySelector("#result_list tbody");
            const list = document.querySelector("#result_list tbody");
            if (!fresh || !list) {
                location.reload();
                return;
            }
            const known = new Set([...list.querySelectorAll("th a")].map((link) => link.href));
            list.replaceWith(fresh);
            const added = [...fresh.querySelectorAll("th a")].filter((link) => !known.has(link.href));
            added.forEach((link) => link.closest("tr").classList.add("explorer-new"));
            status.textContent = ` ${mark.dataset.new}: ${added.length}`;
            mark.dataset.explorerLive = page.querySelector("[data-explorer-live]")?.dataset.explorerLive || "";
            showTimes(rememberedForm());
        }

        button.addEventListener("click", () => {
            if (timer !== null) {
                stop();
                return;
            }
            button.textContent = mark.dataset.stop;
            button.setAttribute("aria-pressed", "true");
            timer = setInterval(() => look().catch(stop), FOLLOW_EVERY_MS);
        });
    }

    document.querySelectorAll("[data-explorer-live]").forEach(follower);
    addCopyButtons();
    showTimes(rememberedForm());
    document.addEventListener("keydown", onKey);
})();
