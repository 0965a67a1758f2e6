import numpy as np
import pytest
from interlock.signals.training.errors import TrainingError
from interlock.signals.training.splits import Walk, walk_forward

MOMENT = np.repeat(np.arange(500), 3)
WALK = Walk(folds=4, tested=0.5, embargo=5)


def folds(horizon=5, walk=WALK, moment=MOMENT):
    return list(walk_forward(moment, np.minimum(moment + horizon, moment.max() + 1), walk))


def test_tests_follow_each_other_and_cover_the_last_part_once():
    tested = np.sum([fold.test for fold in folds()], axis=0)

    assert set(tested[MOMENT < 250]) == {0}
    assert set(tested[MOMENT >= 250]) == {1}


@pytest.mark.parametrize("horizon", [1, 5, 20])
def test_no_label_learned_from_ends_within_the_embargo_before_the_test_or_later(horizon):
    for fold in folds(horizon):
        start = MOMENT[fold.test].min()
        assert (MOMENT[fold.learn] + horizon).max() == start - WALK.embargo - 1
        assert not (fold.learn & fold.test).any()


def test_labels_that_end_late_are_purged_wherever_their_row_stands():
    ends = MOMENT + 1
    ends[10] = 400
    learned = [fold.learn[10] for fold in walk_forward(MOMENT, ends, WALK)]
    starts = [MOMENT[fold.test].min() for fold in folds()]

    assert learned == [start - WALK.embargo > 400 for start in starts]
    assert True in learned
    assert False in learned


def test_what_was_tested_is_learned_from_later():
    sizes = [int(fold.learn.sum()) for fold in folds()]

    assert sizes == sorted(sizes)
    assert sizes[0] > 0


def test_too_little_data_is_one_line():
    with pytest.raises(TrainingError, match="100 moments are too few for 5 walk-forward folds"):
        folds(walk=Walk(), moment=np.arange(100))
