from __future__ import annotations

from studytool.grading.calibration import LIMIT, Calibration, calibrate, overrides
from studytool.schedule.model import LogEvent, Override, Undo


def corrections(graded: str, chosen: str, count: int) -> list[Override]:
    return [Override(card="a", point=0, graded=graded, chosen=chosen)] * count


def test_nothing_corrected_changes_nothing() -> None:
    assert calibrate([]) == Calibration()
    assert Calibration().apply((0.2, 0.5, 0.3)) == (0.2, 0.5, 0.3)


def test_a_strict_grader_is_made_milder() -> None:
    few = calibrate(corrections("missed", "covered", 2))
    many = calibrate(corrections("missed", "covered", 40))

    before = (0.5, 0.4, 0.1)
    assert before[1] < few.apply(before)[1] < many.apply(before)[1]
    assert abs(sum(many.apply(before)) - 1) < 1e-9
    assert max(map(abs, many.shifts)) <= LIMIT


def test_corrections_both_ways_cancel() -> None:
    both = corrections("missed", "covered", 9) + corrections("covered", "missed", 9)

    assert calibrate(both).shifts == (0.0, 0.0, 0.0)


def test_undone_corrections_do_not_count() -> None:
    def event(seq: int, uuid: str, body: Override | Undo) -> LogEvent:
        return LogEvent(uuid=uuid, device="d", seq=seq, at_ms=seq, day=1, body=body)

    kept, gone = corrections("missed", "covered", 2)
    log = [event(1, "a", kept), event(2, "b", gone), event(3, "c", Undo(target="b", card="a"))]

    assert overrides(log) == [kept]
