"""Where this server listens, where its database and its PBXs are: from a TOML file and the environment, which wins."""

import re
import socket
from collections.abc import Mapping
from email.utils import parseaddr
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    SecretStr,
    TypeAdapter,
    ValidationError,
)

from callcenter.errors import Invalid
from callcenter.toml import BadFile, Document, Location, Problem, parse, read, wanted

PREFIX = "CALLCENTER_"
CONFIG = PREFIX + "CONFIG"
LOOPBACK = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))

Port = Annotated[int, Field(ge=0, le=65535)]  # 0: the system chooses
Host = Annotated[str, Field(min_length=1)]
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+")


def _network(value: object) -> IPv4Network | IPv6Network:
    try:
        return ip_network(value)  # type: ignore[arg-type] # anything else raises too
    except ValueError:
        raise ValueError("an address or a network such as 10.0.0.0/24 was expected") from None


Network = Annotated[IPv4Network | IPv6Network, PlainValidator(_network)]


def _listed(value: object) -> object:
    """In the environment: separated by commas."""
    return [each.strip() for each in value.split(",") if each.strip()] if isinstance(value, str) else value


Networks = Annotated[tuple[Network, ...], BeforeValidator(_listed)]


def _sender(value: object) -> str:
    name, address = parseaddr(value) if isinstance(value, str) else ("", "")
    if not _ADDRESS.fullmatch(address) or not f"{name}{value}".isprintable():
        raise ValueError('an address such as care@example.com or "Example Care <care@example.com>" was expected')
    return str(value)


Sender = Annotated[str, Field(max_length=320), PlainValidator(_sender)]


def _address(value: object) -> str:
    if not isinstance(value, str) or not _ADDRESS.fullmatch(value):
        raise ValueError("an address such as care@example.com was expected")
    return value.lower()


Address = Annotated[str, PlainValidator(_address)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class _Pbx(_Table):
    name: str = Field(min_length=1, max_length=40, pattern=r"^[\w.-]+$")
    addresses: tuple[Network, ...] = LOOPBACK
    ami_host: Host | None = None
    ami_port: Port = 5038
    ami_user: str = "callcenter"
    # How this PBX reaches a number outside, like PJSIP/{number}@trunk; without it no calls are placed there.
    dial_out: str | None = Field(
        default=None, pattern=r"^[A-Za-z0-9]+/[A-Za-z0-9_.@+*#-]*\{number\}[A-Za-z0-9_.@+*#:-]*$"
    )


class PbxSettings(_Pbx):
    """One PBX: who may speak FastAGI for it, and its manager interface where it has one."""

    ami_secret: SecretStr | None = None


class _Server(_Table):
    database_url: SecretStr | None = None  # absent: the embedded database in data_dir
    data_dir: Path = Path("var")
    http_host: Host = "127.0.0.1"
    http_port: Port = 8080
    # The address that browsers use, where it is another than ours: a TLS proxy's.
    public_url: str | None = Field(default=None, pattern=r"^https?://[^/\s]+$")
    agi_host: Host = "127.0.0.1"
    agi_port: Port = 4573
    smtp_host: Host = "127.0.0.1"
    smtp_port: Port = 2525
    # What is spoken there with the mail server that brings us mail; without it nobody listens.
    mail_listen: Literal["smtp", "lmtp"] | None = None
    # The server that takes our mail, a smarthost; without it none is sent.
    mail_host: Host | None = None
    mail_port: Port = 587
    mail_security: Literal["starttls", "tls", "none"] = "starttls"
    mail_user: str | None = Field(default=None, min_length=1)
    mail_password: SecretStr | None = None
    mail_from: Sender | None = None
    # Seconds for which an agent can take back an answer by mail.
    undo_seconds: int = Field(default=8, ge=0, le=120)
    # Days after which it is deleted whom letters went to and what they said, and what customers wrote in surveys.
    keep_letters_days: int = Field(default=90, ge=1, le=36_500)
    keep_words_days: int = Field(default=730, ge=1, le=36_500)
    # Bytes of one file that is uploaded, and of all files of a message.
    largest_upload: int = Field(default=10_000_000, ge=1_000, le=100_000_000)
    largest_message_files: int = Field(default=25_000_000, ge=1_000, le=250_000_000)
    # Where webhooks may lead besides public addresses.
    webhook_networks: Networks = ()
    secret_key: SecretStr | None = Field(default=None, min_length=32)
    require_console: bool = True
    # Tells this process from the others on the same database; the same after a restart.
    node_name: str = Field(default="", max_length=200)
    max_calls: int = Field(default=5000, ge=1, le=100_000)
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "console"] = "json"


class _Imap(_Table):
    name: str = Field(min_length=1, max_length=40, pattern=r"^[\w.-]+$")
    host: Host
    port: Port | None = None  # absent: 993 for tls, else 143
    security: Literal["tls", "starttls", "none"] = "tls"
    user: str = Field(min_length=1)
    folder: str = Field(default="INBOX", min_length=1, max_length=200)
    # Which of the organisation's mailboxes a message is for that names none of them.
    address: Address | None = None
    # What is done to a message there once it is committed here.
    after: Literal["seen", "move", "delete"] = "seen"
    move_to: str | None = Field(default=None, min_length=1, max_length=200)
    # How long a lost connection, or mail that nobody announced, may go unnoticed.
    poll_seconds: int = Field(default=120, ge=5, le=1_500)


class ImapSettings(_Imap):
    """One mailbox that we read, on another server."""

    port: Port
    password: SecretStr


class Settings(_Server):
    """All settings, checked; secrets do not show when printed."""

    pbx: tuple[PbxSettings, ...] = (PbxSettings(name="default"),)
    imap: tuple[ImapSettings, ...] = ()


class _PbxInFile(_Pbx):
    # A secret stands in the environment; the file names the variable.
    ami_secret_env: str | None = None


class _ImapInFile(_Imap):
    password_env: str = Field(min_length=1)


class _InFile(_Server):
    """What a settings file may say: the keys of Settings, those of one PBX called `default`, and tables of more."""

    pbx: tuple[_PbxInFile, ...] = ()
    imap: tuple[_ImapInFile, ...] = ()
    ami_host: Host | None = None
    ami_port: Port = 5038
    ami_user: str = "callcenter"
    ami_secret: SecretStr | None = None
    dial_out: str | None = None


_IN_FILE = TypeAdapter(_InFile)


def load(environ: Mapping[str, str]) -> Settings:
    """Read the file that CALLCENTER_CONFIG names, if it does, and the environment; raises BadFile."""
    path = environ.get(CONFIG)
    document = read(Path(path)) if path else parse("", "settings")
    from_environment = {
        name: environ[PREFIX + name.upper()]
        for name in _InFile.model_fields
        if name not in ("pbx", "imap") and environ.get(PREFIX + name.upper())
    }
    found = _validate(document, from_environment)
    given = found.model_dump(exclude_unset=True, include=set(_Server.model_fields))
    pbxs = tuple(_pbx(table, ("pbx", i), document, environ) for i, table in enumerate(found.pbx))
    mailboxes = tuple(_imap(table, ("imap", i), document, environ) for i, table in enumerate(found.imap))
    settings = Settings(**given, pbx=_with_default(pbxs, found), imap=mailboxes)
    _refuse_twins(settings, document)
    if not settings.node_name:
        return settings.model_copy(update={"node_name": f"{socket.gethostname()}:{settings.http_port}"})
    return settings


def _validate(document: Document, from_environment: Mapping[str, str]) -> _InFile:
    try:
        return _IN_FILE.validate_python({**document.data, **from_environment})
    except ValidationError as error:
        problems = []
        for details in error.errors():
            location: Location = details["loc"]
            key = str(location[0]) if location else ""
            if key in from_environment:
                problems.append(Problem("environment", PREFIX + key.upper(), wanted(details)))
            else:
                problems.append(document.problem(location, wanted(details)))
        raise BadFile(problems) from None


def _pbx(table: _PbxInFile, location: Location, document: Document, environ: Mapping[str, str]) -> PbxSettings:
    given: dict[str, Any] = table.model_dump(exclude_unset=True, exclude={"ami_secret_env"})
    if variable := table.ami_secret_env:
        given["ami_secret"] = _secret(variable, (*location, "ami_secret_env"), document, environ)
    return PbxSettings(**given)


def _imap(table: _ImapInFile, location: Location, document: Document, environ: Mapping[str, str]) -> ImapSettings:
    given: dict[str, Any] = table.model_dump(exclude_unset=True, exclude={"password_env"})
    given.setdefault("port", 993 if table.security == "tls" else 143)
    given["password"] = _secret(table.password_env, (*location, "password_env"), document, environ)
    if (table.after == "move") != (table.move_to is not None):
        words = 'the folder to move messages to was expected; it goes with after = "move"'
        raise BadFile([document.problem((*location, "move_to"), words)])
    return ImapSettings(**given)


def _secret(variable: str, location: Location, document: Document, environ: Mapping[str, str]) -> SecretStr:
    if not environ.get(variable):
        raise BadFile([document.problem(location, f"the variable {variable} was expected in the environment")])
    return SecretStr(environ[variable])


def _with_default(pbxs: tuple[PbxSettings, ...], found: _InFile) -> tuple[PbxSettings, ...]:
    """Let the single settings of AMI speak for the PBX `default`, which is there when no other is."""
    single = {"ami_host", "ami_port", "ami_user", "ami_secret", "dial_out"} & found.model_fields_set
    update = {name: getattr(found, name) for name in single}
    if any(pbx.name == "default" for pbx in pbxs):
        return tuple(pbx.model_copy(update=update) if pbx.name == "default" else pbx for pbx in pbxs)
    if single or not pbxs:
        return (PbxSettings(name="default", **update), *pbxs)
    return pbxs


def _refuse_twins(settings: Settings, document: Document) -> None:
    names = [pbx.name for pbx in settings.pbx]
    for i, table in enumerate(document.data.get("pbx", ())):
        if names.count(table["name"]) > 1:
            raise BadFile([document.problem(("pbx", i, "name"), f"another PBX is called {table['name']} too")])
    names = [mailbox.name for mailbox in settings.imap]
    for i, name in enumerate(names):
        if name in names[:i]:
            raise BadFile([document.problem(("imap", i, "name"), f"another mailbox is called {name} too")])


def problems(settings: Settings) -> list[str]:
    """Say in words why a server with these settings must not start; an empty list when it may."""
    found = []
    doors = {"http": settings.http_host, "agi": settings.agi_host, "smtp": settings.smtp_host}
    if settings.secret_key is None:
        found += [
            f"{name}_host is {host}, which others can reach, and there is no secret_key: set CALLCENTER_SECRET_KEY "
            "to 32 or more random characters, or listen on 127.0.0.1"
            for name, host in doors.items()
            if not is_loopback(host)
        ]
    if not is_loopback(settings.agi_host):
        found += [
            f"the PBX {pbx.name} lets every address speak AGI ({network}): name the PBX's own addresses"
            for pbx in settings.pbx
            for network in pbx.addresses
            if network.prefixlen == 0
        ]
    found += [
        f"the PBX {pbx.name} has an ami_host and no secret: set {PREFIX}AMI_SECRET, or ami_secret_env in its table"
        for pbx in settings.pbx
        if pbx.ami_host and not pbx.ami_secret
    ]
    found += [
        f"the mailbox {mailbox.name} has security none, so its password would go to {mailbox.host} for all to read"
        for mailbox in settings.imap
        if mailbox.security == "none" and not is_loopback(mailbox.host)
    ]
    return found + _mail_problems(settings)


def _mail_problems(settings: Settings) -> list[str]:
    if settings.mail_host is None:
        return []
    found = []
    if settings.mail_from is None:
        found.append(
            f"mail_host is set and mail_from is not: set {PREFIX}MAIL_FROM to the address that mail comes from"
        )
    if (settings.mail_user is None) != (settings.mail_password is None):
        found.append(f"of mail_user and mail_password one is missing: set {PREFIX}MAIL_USER and {PREFIX}MAIL_PASSWORD")
    if settings.mail_password is not None and settings.mail_security == "none" and not is_loopback(settings.mail_host):
        found.append(f"mail_security is none, so mail_password would go to {settings.mail_host} for everybody to read")
    return found


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach a server that listens on `host`."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def is_public(settings: Settings) -> bool:
    """Tell whether others than this machine's users can reach the console, through a proxy or without."""
    return settings.public_url is not None or not is_loopback(settings.http_host)


def require_no_problems(settings: Settings) -> None:
    """Raise Invalid with all of `problems`, one a line."""
    if found := problems(settings):
        raise Invalid("\n".join(found))
