"""A CSV log of metrics as numbers."""

from pathlib import Path

from app.service.run_outputs.metric_log import MetricLog, read_log

LOG = """epoch,step,train_loss,val_dice,note
1,10,0.5,,a
2,20,1e-3,nan,
2,25,inf,0.25,b
3,30
"""


def test_numbers_are_numbers_and_what_is_empty_or_none_is_null(tmp_path: Path):
    path = tmp_path / "metrics.csv"
    path.write_text(LOG)
    log = read_log(path)
    assert log.columns == ("epoch", "step", "train_loss", "val_dice", "note")
    assert log.rows == (
        {"epoch": 1, "step": 10, "train_loss": 0.5, "val_dice": None, "note": "a"},
        {"epoch": 2, "step": 20, "train_loss": 0.001, "val_dice": None, "note": None},
        {"epoch": 2, "step": 25, "train_loss": None, "val_dice": 0.25, "note": "b"},
        {"epoch": 3, "step": 30, "train_loss": None, "val_dice": None, "note": None},
    )
    assert (log.max_epoch, log.max_step, log.path) == (3, 30, path)
    assert log.best() == {"train_loss": 0.001, "val_dice": 0.25}
    assert log.final() == {"epoch": 3, "step": 30, "train_loss": 0.001, "val_dice": 0.25, "note": "b"}


def test_without_rows(tmp_path: Path):
    empty = tmp_path / "metrics.csv"
    empty.touch()
    for log in (read_log(None), read_log(empty)):
        assert (log.rows, log.columns, log.max_epoch, log.best(), log.final()) == ((), (), 0, {}, {})
    assert read_log(None) == MetricLog()
