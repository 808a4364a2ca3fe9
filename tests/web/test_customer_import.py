"""A list of customers over REST."""

from callcenter.domain.agent import Role
from tests.web.conftest import Doors

_AT = "/api/v1/customers/import"
_LIST = "external_id,name,phones\nC1,李娜,138 0013 8000\nC2,,\n,Bo,12\n".encode()


async def test_an_administrator_tries_a_list_and_brings_it_in_once(doors: Doors) -> None:
    await doors.add_user("ada", Role.ADMINISTRATOR)
    assert (await doors.call("sue", "POST", _AT, data=_LIST)).status == 403
    for path in (f"{_AT}?dry_run=true", _AT):
        assert (await doors.get("ada", "/api/v1/customers?q=李娜"))["items"] == []
        response = await doors.call("ada", "POST", path, data=_LIST)
        found = await response.json()
        assert (found["created"], found["changed"], found["unchanged"]) == (1, 0, 0), found
        assert [(row["row"], row["reason"]) for row in found["refused"]] == [
            (3, "the name is missing"), (4, "'12' is no phone number."),
        ]  # fmt: skip
        assert found["refused"][1]["cells"] == {"external_id": "", "name": "Bo", "phones": "12"}
    [person] = (await doors.get("ada", "/api/v1/customers?q=李娜"))["items"]
    assert person["addresses"][0]["value"] == "+8613800138000"
    again = await (await doors.call("ada", "POST", _AT, data=_LIST)).json()
    assert (again["created"], again["unchanged"]) == (0, 1)


async def test_what_is_no_list_is_refused_with_its_line(doors: Doors) -> None:
    await doors.add_user("ada", Role.ADMINISTRATOR)
    response = await doors.call("ada", "POST", _AT, data=b"name,born\nAmy,1990\n")
    assert response.status == 422
    assert (await response.json())["detail"].startswith("Line 1: 'born' is no column; expected external_id, name,")
