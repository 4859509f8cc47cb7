"""Ids are part of what is stored, here and by those who are asked: they never change."""

from __future__ import annotations

from uuid import UUID

from sagas.identity import (
    Direction,
    effect_key_for,
    message_id_for,
    saga_id_for,
    saga_type_of,
)

DO, UNDO = Direction.DO, Direction.UNDO


def test_ids_are_the_same_in_every_process_and_release():
    assert saga_id_for("Trip", "7") == "Trip:7"
    assert effect_key_for("Trip:7", "pay", DO) == UUID("56a58f90-a090-5ce9-884f-6e51578d00f8")
    assert effect_key_for("Trip:7", "pay", UNDO) == UUID("83597593-aa15-560c-b17c-21bb001714f5")
    assert message_id_for("Trip:7", "pay", DO, 1) == UUID("543d91ac-60b5-52c1-ab73-c3f96bced695")


def test_attempts_differ_and_so_do_directions():
    ids = {message_id_for("Trip:7", "pay", d, n) for d in Direction for n in range(1, 50)}
    assert len(ids) == 98


def test_a_key_may_hold_what_separates_the_type_from_it():
    assert saga_type_of(saga_id_for("Trip", "a:b")) == "Trip"
