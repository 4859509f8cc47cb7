"""Names for the people of the demo."""

from __future__ import annotations

from itertools import count, islice, product

FIRST_NAMES = ("Ada", "Edsger", "Grace", "Barbara", "Tony", "Leslie", "Frances", "Niklaus", "Radia")
LAST_NAMES = ("Moreau", "Okafor", "Lindqvist", "Haddad", "Petrov", "Tanaka", "Silva", "Kowalska")


def people(number: int, *, after: int) -> list[tuple[str, str]]:
    """(name, e-mail address) of `number` people, none of whom is among the first `after`."""
    everyone = (
        (f"{first} {last}", f"{first}.{last}{generation or ''}@example.org")
        for generation in count()
        for last, first in product(LAST_NAMES, FIRST_NAMES)
    )
    return list(islice(everyone, after, after + number))
