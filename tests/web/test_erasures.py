"""A person's data over REST: given out, and erased."""

import io
import zipfile

from callcenter.domain.agent import Role
from tests.web.conftest import Doors


async def test_an_administrator_erases_whom_they_name_and_has_the_proof(doors: Doors) -> None:
    await doors.add_user("ada", Role.ADMINISTRATOR)
    response = await doors.call("sue", "POST", "/api/v1/customers", json={"name": "李娜"})
    at = f"/api/v1/customers/{(await response.json())['id']}"
    assert (await doors.call("sue", "POST", f"{at}/erase", json={"name": "李娜", "reason": "7"})).status == 403
    assert (await doors.call("sue", "GET", f"{at}/export")).status == 403
    archive = await doors.call("ada", "GET", f"{at}/export")
    assert archive.content_type == "application/zip"
    assert zipfile.ZipFile(io.BytesIO(await archive.read())).namelist() == ["person.json"]
    for body in ({"name": "Li Na", "reason": "7"}, {"name": "李娜", "reason": " "}):
        assert (await doors.call("ada", "POST", f"{at}/erase", json=body)).status == 422
    assert (await doors.call("ada", "GET", f"{at}/erasure")).status == 404
    response = await doors.call("ada", "POST", f"{at}/erase", json={"name": "李娜", "reason": "Request 7"})
    assert response.status == 200, await response.text()
    proof = await doors.get("ada", f"{at}/erasure")
    assert (proof["by"], proof["reason"], proof["emptied"]["customer"]) == ("ada", "Request 7", 1)
    assert (await doors.get("sue", at))["name"] == "—"
    assert (await doors.get("sue", "/api/v1/customers?q=李娜"))["items"] == []
