import pytest

from service.socket_address import host_port


@pytest.mark.parametrize(
    ("address", "text"),
    [
        (("127.0.0.1", 4712), "127.0.0.1:4712"),
        (("::1", 4712, 0, 0), "[::1]:4712"),
        ("/run/socket", "/run/socket"),
    ],
)
def test_an_address_is_host_and_port(address: object, text: str):
    assert host_port(address) == text
