"""The gateways of an organisation file against those that are here: their secrets are in no export."""

from collections.abc import Iterator, Sequence

from callcenter.domain.gateway_keys import secrets_of
from callcenter.domain.organisation import GatewayEntry
from callcenter.domain.organisation_file import OrganisationFile
from callcenter.toml import Problem


def problems(file: OrganisationFile, before: Sequence[GatewayEntry]) -> Iterator[Problem]:
    """Every secret that a gateway names is in the file, or was in an earlier one."""
    kept = {entry.name: set(entry.secrets) for entry in before}
    for at, entry in enumerate(file.organisation.gateways):
        for name, where in secrets_of(entry.body):
            if name not in entry.secrets and name not in kept.get(entry.name, ()):
                expected = f"there is no secret {name!r}; expected it among secrets or secrets_env of this gateway"
                yield file.document.problem(("gateways", at, *where), expected)


def changes_secrets(old: object, new: object) -> bool:
    if not isinstance(old, GatewayEntry) or not isinstance(new, GatewayEntry):
        return False
    return any(old.secrets.get(name) != secret for name, secret in new.secrets.items())
