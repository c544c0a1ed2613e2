import pytest

from benchmarks.grid import __main__ as bench
from benchmarks.grid import codec
from benchmarks.grid.figure import Figure, table


def test_the_codec_is_measured_beside_its_targets():
    figures = codec.run(0.01)
    assert [figure.target for figure in figures[:2]] == [codec.TARGET, codec.TARGET]
    assert all(figure.value > 0 and figure.limit for figure in figures)


@pytest.mark.parametrize(
    ("at_most", "value", "reached"), [(False, 9, False), (False, 10, True), (True, 11, False)]
)
def test_a_figure_that_misses_its_target_says_so(at_most, value, reached):
    figure = Figure(name="f", value=value, unit="u", target=10, at_most=at_most, limit="x")
    assert figure.reached is reached
    text = table([figure])
    assert ("NOT REACHED" in text) is not reached
    assert "limited by x" in text


def test_a_figure_without_a_target_is_reached():
    assert Figure(name="f", value=1, unit="u").reached


def test_the_exit_code_says_whether_all_targets_were_reached(monkeypatch, capsys):
    monkeypatch.setattr(codec, "TARGET", 1e12)
    assert bench.main(["codec", "--seconds", "0.01"]) == 1
    assert "NOT REACHED" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="2"):
        bench.main(["nothing"])
    assert "there is no part nothing" in capsys.readouterr().err
