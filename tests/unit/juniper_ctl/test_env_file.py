import pytest

from juniper_ctl.env_file import credential, environment_of, parse
from juniper_ctl.locations import Locations
from juniper_ctl.services import CASCOR, DATA


@pytest.mark.parametrize(
    ("text", "assignments"),
    [
        ("A=1\nB = two words \n", {"A": "1", "B": "two words"}),
        ("# A=1\n; B=2\n\nnothing\n", {}),
        ('A=\'single "quoted"\'\nB="say \\"hi\\""\n', {"A": 'single "quoted"', "B": 'say "hi"'}),
        ("A=one \\\ntwo\n", {"A": "one two"}),
        ("A=a=b\nA=c\n", {"A": "c"}),
        ("A=\n", {"A": ""}),
        ("A='two\nlines'\n", {"A": "two\nlines"}),
        ("A='it'\"s\" b\n", {"A": "itsb"}),
        ('A="a\\nb" \n', {"A": "a\\nb"}),
        ("export A=1\n1B=2\n C=3\n", {"C": "3"}),
        ("A='open\nB=2\n", {"A": "open\nB=2\n"}),
        ("A=1 # no comment\n", {"A": "1 # no comment"}),
    ],
)
def test_env_files_are_read_as_systemd_reads_them(text: str, assignments: dict[str, str]) -> None:
    """Comments, quotes, backslashes, the last of two."""
    assert parse(text) == assignments


def test_the_services_file_goes_before_the_profiles_and_that_before_the_hosts(home: Locations) -> None:
    """What all services share stands once, and can be changed for one."""
    home.configuration.mkdir(parents=True)
    (home.configuration / "juniper.env").write_text("A=host\nB=host\nC=host\n")
    (home.configuration / "dev.env").write_text("B=dev\nD=dev\n")
    (home.configuration / "data.env").write_text("B=data\nC=data\n")
    assert environment_of(DATA, home, over={"C": "caller"}) == {"A": "host", "B": "data", "C": "caller"}
    (home.configuration / "profile.env").symlink_to("dev.env")
    assert environment_of(DATA, home) == {"A": "host", "B": "data", "C": "data", "D": "dev"}
    assert environment_of(CASCOR, home, profile="demo") == {"A": "host", "B": "host", "C": "host"}


def test_a_credential_that_is_not_there_is_empty(home: Locations) -> None:
    """Without keys no service asks for one."""
    assert credential("juniper_data_api_keys", home) == ""
    home.credentials.mkdir(parents=True)
    (home.credentials / "juniper_data_api_keys").write_text("secret\n")
    assert credential("juniper_data_api_keys", home) == "secret"
