"""Which rows are worth a label."""

from __future__ import annotations

import numpy as np
import pytest

from bot.errors import UserError
from bot.evaluate.assemble import Fitted
from bot.evaluate.labelling import rows_to_label
from tests.evaluate.worlds import Formula, a_table, trained


def test_labels_of_those_rows_alone_give_the_exact_difference_of_the_accuracies() -> None:
    table = a_table(3000)
    pair = [Fitted(trained(table), Formula(noise)) for noise in (0.0, 1.5)]
    ids = rows_to_label(pair[0], pair[1], table.drop_columns(["left"]), "id")
    said, truth = [one.predictor.predict(table) for one in pair], table["left"].to_numpy(zero_copy_only=False)
    asked = np.array([int(one) for one in ids])
    assert 0 < len(ids) < 1500 and sorted(asked) == list(asked)
    won = sum((said[0][asked] == truth[asked]).astype(int) - (said[1][asked] == truth[asked]))
    assert won / 3000 == pytest.approx((said[0] == truth).mean() - (said[1] == truth).mean())


@pytest.mark.parametrize(
    ("changes", "said"),
    [({"classes": None, "task": "regression"}, "classifiers"), ({"target": "bought"}, "one predicts left")],
)
def test_models_that_cannot_agree_are_refused(changes: dict[str, object], said: str) -> None:
    table = a_table(50)
    one, other = Fitted(trained(table, target="left"), Formula()), Fitted(trained(table, **changes), Formula())
    with pytest.raises(UserError, match=said):
        rows_to_label(one, other, table, "id")
