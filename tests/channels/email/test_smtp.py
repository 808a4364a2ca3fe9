"""What `callcenter check` says of the mail server."""

from callcenter.settings import load
from channels.email.smtp import complaints, relay_of
from tests.channels.email.conftest import PostOffice, post_office, relay_to


async def test_a_server_that_takes_our_sign_in_gives_no_complaint():
    async with post_office(password="right") as office:
        assert await complaints(relay_to(office, user="callcenter", password="right")) == []
        assert office.taken == []


async def test_what_is_wrong_is_said_with_the_servers_words(office, unused_tcp_port):
    nobody = await complaints(relay_to(PostOffice(port=unused_tcp_port)))
    assert nobody[0].startswith(f"Mail cannot be handed in at 127.0.0.1:{unused_tcp_port} (none): ")
    [no_tls] = await complaints(relay_to(office, security="starttls"))
    assert "STARTTLS" in no_tls
    async with post_office(password="right") as closed:
        [wrong] = await complaints(relay_to(closed, user="callcenter", password="wrong"))
        assert ": 535 " in wrong


def test_the_relay_is_that_of_the_settings():
    assert relay_of(load({})) is None
    relay = relay_of(load({
        "CALLCENTER_MAIL_HOST": "mail.example.com", "CALLCENTER_MAIL_FROM": "Care <care@example.com>",
        "CALLCENTER_MAIL_USER": "care", "CALLCENTER_MAIL_PASSWORD": "s3cret",
    }))  # fmt: skip
    assert relay is not None
    assert (relay.host, relay.port, relay.security) == ("mail.example.com", 587, "starttls")
    assert (relay.sender, relay.name, relay.domain) == ("care@example.com", "Care", "example.com")
    assert str(relay.address("Heronbay")) == "Care <care@example.com>"
    assert "s3cret" not in repr(relay)
