"""Settings of the training service that are more than one word."""

import pytest

from juniper_cascor.settings import CascorSettings
from juniper_common.settings import EXIT_CONFIGURATION


def test_json_settings_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Objects as JSON; a line with nothing after its `=` is none."""
    monkeypatch.setenv("JUNIPER_CASCOR_AUTO_NETWORK", '{"max_hidden_units": 3, "seed": 1, "pace": 50}')
    monkeypatch.setenv("JUNIPER_CASCOR_AUTO_DATASET_PARAMS", "")
    settings = CascorSettings.load()
    assert settings.auto_network == {"max_hidden_units": 3, "seed": 1, "pace": 50}
    assert settings.auto_dataset_params == {}


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("AUTO_NETWORK", "{max_hidden_units: 3}", "is no JSON object: Expecting property name"),
        ("AUTO_NETWORK", "[3]", "Input should be a valid dictionary"),
        ("AUTO_NETWORK", '{"max_hidden_unit": 3}', "max_hidden_unit: Extra inputs are not permitted"),
        ("AUTO_NETWORK", '{"seed": -1}', "seed: Input should be greater than or equal to 0"),
        ("AUTO_NETWORK", '{"candidate_pool_size": 0}', "candidate_pool_size: must be between"),
        ("AUTO_DATASET_PARAMS", "n_points=3", "is no JSON object"),
        ("AUTO_EPOCHS", "0", "greater than or equal to 1"),
    ],
)
def test_an_automatic_start_that_cannot_be(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, value: str, problem: str
) -> None:
    """The process ends at once, with one line that names the setting: nobody is there to see a start fail later."""
    monkeypatch.setenv(f"JUNIPER_CASCOR_{name}", value)
    with pytest.raises(SystemExit) as ended:
        CascorSettings.load()
    assert ended.value.code == EXIT_CONFIGURATION
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"juniper-cascor: JUNIPER_CASCOR_{name}: ")
    assert problem in line
