"""Settings: a file, the environment above it, and refusals in words."""

import pytest

from callcenter.errors import Invalid
from callcenter.settings import LOOPBACK, is_loopback, load, problems, require_no_problems
from callcenter.store.queries import ROOT
from callcenter.toml import BadFile

KEY = "k" * 32


@pytest.fixture
def config(tmp_path):
    """Give a function that writes a settings file and returns the environment that names it."""

    def write(text: str, **environ: str) -> dict[str, str]:
        path = tmp_path / "callcenter.toml"
        path.write_text(text, encoding="utf-8")
        return {"CALLCENTER_CONFIG": str(path), **environ}

    return write


def test_without_any_setting_everything_listens_on_loopback_with_one_pbx():
    settings = load({})
    assert (settings.http_host, settings.http_port) == ("127.0.0.1", 8080)
    assert (settings.agi_host, settings.agi_port) == ("127.0.0.1", 4573)
    assert settings.database_url is None
    assert [pbx.name for pbx in settings.pbx] == ["default"]
    assert settings.pbx[0].addresses == LOOPBACK
    assert settings.node_name.endswith(":8080")
    assert problems(settings) == []


def test_the_environment_wins_over_the_file(config):
    settings = load(
        config(
            "http_port = 1\nagi_port = 2\nrequire_console = true",
            CALLCENTER_AGI_PORT="3",
            CALLCENTER_REQUIRE_CONSOLE="false",
        )
    )
    assert (settings.http_port, settings.agi_port, settings.require_console) == (1, 3, False)


def test_the_single_ami_settings_describe_the_pbx_called_default(config):
    environ = {"CALLCENTER_AMI_HOST": "10.0.0.1", "CALLCENTER_AMI_USER": "cc", "CALLCENTER_AMI_SECRET": "s3cret"}
    [pbx] = load(environ).pbx
    assert (pbx.name, pbx.ami_host, pbx.ami_port, pbx.ami_user) == ("default", "10.0.0.1", 5038, "cc")
    assert pbx.ami_secret is not None
    assert pbx.ami_secret.get_secret_value() == "s3cret"
    assert "s3cret" not in repr(pbx)
    both = load(config('[[pbx]]\nname = "berlin"\n', **environ)).pbx
    assert [pbx.name for pbx in both] == ["default", "berlin"]
    [pbx] = load(config('[[pbx]]\nname = "default"\naddresses = ["10.0.0.0/24"]\nami_port = 7', **environ)).pbx
    assert (str(pbx.addresses[0]), pbx.ami_host, pbx.ami_port) == ("10.0.0.0/24", "10.0.0.1", 7)


def test_a_table_names_the_variable_that_holds_its_secret(config):
    text = '[[pbx]]\nname = "berlin"\nami_host = "10.0.0.1"\nami_secret_env = "BERLIN"\n'
    [pbx] = load(config(text, BERLIN="s3cret")).pbx
    assert pbx.ami_secret is not None
    assert pbx.ami_secret.get_secret_value() == "s3cret"
    with pytest.raises(BadFile, match=r"line 4: pbx\[1\]\.ami_secret_env: the variable BERLIN was expected"):
        load(config(text))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("http_port = 80\nhttp_prot = 81\n", "line 2: http_prot: there is no such key"),
        ("\n\nhttp_port = 'eighty'", "line 3: http_port: expected a valid integer"),
        ("http_port = 65536", "line 1: http_port: expected less than or equal to 65535, not 65536"),
        ("log_level = 'loud'", "line 1: log_level: expected 'debug', 'info', 'warning' or 'error', not 'loud'"),
        (
            "[[pbx]]\nname = 'a'\naddresses = ['10.0.0.1/24']",
            r"line 3: pbx\[1\]\.addresses\[1\]: an address or a network such as",
        ),
        ("[[pbx]]\nname = 'a'\nami_secret = 'x'", r"line 3: pbx\[1\]\.ami_secret: there is no such key"),
        ("[[pbx]]\nami_port = 1", r"line 1: pbx\[1\]\.name: this key is needed"),
        ("[[pbx]]\nname = 'a'\n[[pbx]]\nname = 'a'", r"line 2: pbx\[1\]\.name: another PBX is called a too"),
        ("secret_key = 'short'", "line 1: secret_key: .*at least 32"),
        ("mail_security = 'ssl'", "line 1: mail_security: expected 'starttls', 'tls' or 'none', not 'ssl'"),
        ("mail_from = 'Care'", "line 1: mail_from: an address such as care@example.com"),
        ('mail_from = "Care\\r\\nBcc: x@y.example <care@example.com>"', "line 1: mail_from: an address such as"),
        ("http_port = ", "line 1: not TOML"),
    ],
)
def test_a_bad_key_is_refused_with_line_key_and_what_was_expected(config, text, words):
    with pytest.raises(BadFile, match=words) as caught:
        load(config(text))
    assert len(caught.value.problems) == 1


def test_a_bad_variable_is_refused_by_its_name():
    with pytest.raises(BadFile, match=r"environment: CALLCENTER_HTTP_PORT: expected a valid integer.* not 'x'"):
        load({"CALLCENTER_HTTP_PORT": "x"})


def test_a_secret_never_stands_in_a_complaint():
    with pytest.raises(BadFile) as caught:
        load({"CALLCENTER_SECRET_KEY": "hunter2"})
    assert "hunter2" not in str(caught.value)


def test_listening_to_others_needs_a_secret_key():
    settings = load({"CALLCENTER_HTTP_HOST": "0.0.0.0"})
    assert problems(settings) == [
        (
            "http_host is 0.0.0.0, which others can reach, and there is no secret_key: set CALLCENTER_SECRET_KEY "
            "to 32 or more random characters, or listen on 127.0.0.1"
        )
    ]
    with pytest.raises(Invalid, match="no secret_key"):
        require_no_problems(settings)
    assert problems(load({"CALLCENTER_HTTP_HOST": "0.0.0.0", "CALLCENTER_SECRET_KEY": KEY})) == []


def test_an_agi_port_that_is_open_to_everybody_is_refused(config):
    text = "agi_host = '::'\n[[pbx]]\nname = 'a'\naddresses = ['0.0.0.0/0', '10.0.0.0/8']"
    [problem] = problems(load(config(text, CALLCENTER_SECRET_KEY=KEY)))
    assert problem == "the PBX a lets every address speak AGI (0.0.0.0/0): name the PBX's own addresses"


def test_an_ami_without_a_secret_is_refused():
    [problem] = problems(load({"CALLCENTER_AMI_HOST": "127.0.0.1"}))
    assert "has an ami_host and no secret" in problem


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("example.com", False),
    ],
)
def test_only_loopback_is_out_of_others_reach(host, local):
    assert is_loopback(host) is local


def test_the_example_is_valid_and_names_every_key():
    path = ROOT / "config" / "callcenter.example.toml"
    settings = load({"CALLCENTER_CONFIG": str(path)})
    assert settings == load({})
    text = path.read_text(encoding="utf-8")
    assert not [name for name in type(settings).model_fields if name not in text]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, ["mail_from is not"]),
        ({"FROM": "care@example.com"}, []),
        ({"FROM": "Care 客服 <care@example.com>", "USER": "care"}, ["one is missing"]),
        ({"FROM": "care@example.com", "PASSWORD": "s3cret"}, ["one is missing"]),
        ({"FROM": "care@example.com", "USER": "care", "PASSWORD": "s3cret"}, []),
        (
            {"FROM": "care@example.com", "USER": "a", "PASSWORD": "s3cret", "SECURITY": "none"},
            ["for everybody to read"],
        ),
        (
            {"FROM": "care@example.com", "USER": "a", "PASSWORD": "b", "SECURITY": "none", "HOST": "127.0.0.1"},
            [],
        ),
    ],
)
def test_settings_of_mail_that_do_not_fit_together_are_refused_in_words(given, words):
    environ = {"HOST": "mail.example.com", **given}
    settings = load({f"CALLCENTER_MAIL_{name}": value for name, value in environ.items()})
    found = problems(settings)
    assert len(found) == len(words)
    assert all(word in complaint for word, complaint in zip(words, found, strict=True))
    assert "s3cret" not in "".join(found) + repr(settings)


MAILBOX = """
[[imap]]
name = "care"
host = "imap.example.com"
user = "care"
password_env = "CARE_PASSWORD"
"""


def test_mailboxes_have_their_passwords_in_the_environment_and_do_not_show_them(config):
    settings = load(config(MAILBOX, CARE_PASSWORD="hush"))
    mailbox = settings.imap[0]
    assert (mailbox.port, mailbox.security, mailbox.folder, mailbox.after) == (993, "tls", "INBOX", "seen")
    assert "hush" not in repr(settings)
    assert load(config(MAILBOX + 'security = "starttls"', CARE_PASSWORD="hush")).imap[0].port == 143


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ('after = "move"', "imap[1].move_to: the folder to move messages to was expected"),
        (
            'move_to = "Done"',
            'line 7: imap[1].move_to: the folder to move messages to was expected; it goes with after = "move"',
        ),
        ('address = "care"', "line 7: imap[1].address: an address such as care@example.com was expected"),
        ('password = "hush"', "line 7: imap[1].password: there is no such key"),
        (MAILBOX, "line 9: imap[2].name: another mailbox is called care too"),
    ],
)
def test_what_is_wrong_with_a_mailbox_is_named_with_its_line(config, more: str, words: str):
    with pytest.raises(BadFile) as refused:
        load(config(MAILBOX + more, CARE_PASSWORD="hush"))
    assert words in str(refused.value)
    assert "hush" not in str(refused.value)


def test_a_mailbox_whose_password_is_missing_or_would_be_readable_is_refused(config):
    with pytest.raises(BadFile, match="the variable CARE_PASSWORD was expected in the environment"):
        load(config(MAILBOX))
    settings = load(config(MAILBOX + 'security = "none"', CARE_PASSWORD="hush"))
    assert "its password would go to imap.example.com for all to read" in problems(settings)[0]
