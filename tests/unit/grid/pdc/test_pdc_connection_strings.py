"""Addresses as openPDC writes them."""

import pytest

from grid.pdc.openpdc import connection_strings
from grid.transport.address import Address

HOME = "udp-spontaneous://:4713"


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("tcp://pmu-1:4712", "transportProtocol=tcp; server=pmu-1:4712"),
        ("tcp://[2001:db8::7]:4712", "transportProtocol=tcp; server=[2001:db8::7]:4712"),
        ("udp://pmu-1:4713", "transportProtocol=udp; server=pmu-1:4713"),
        (
            "tcp+udp://pmu-1:4712?data=4713",
            "transportProtocol=udp; localport=4713; "
            "commandChannel={transportProtocol=tcp; server=pmu-1:4712}",
        ),
        (HOME, "transportProtocol=udp; localport=4713"),
        (
            "udp-spontaneous://10.0.0.5:4713",
            "transportProtocol=udp; localport=4713; interface=10.0.0.5",
        ),
        (
            "udp-spontaneous://239.1.2.3:4713?interface=eth0",
            "transportProtocol=udp; localport=4713; server=239.1.2.3; interface=eth0",
        ),
    ],
)
def test_each_input_address_has_a_connection_string_that_is_read_back(url, text):
    address = Address.parse(url)
    written = connection_strings.device_string(address)
    assert written == f"{text}; phasorProtocol=IeeeC37_118V2"
    assert connection_strings.device_address("d", written) == address


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("TransportProtocol=Tcp; Server=a:1; isConcentrator=true", "tcp://a:1"),
        ("transportProtocol=tcp; server=a:1,b:2; islistener=false", "tcp://a:1"),
        ("transportProtocol=tcp; server=::1:4712", "tcp://[::1]:4712"),
        ("transportprotocol=udp; localport=5000; server=233.1.1.1; remoteport=5000",
         "udp-spontaneous://233.1.1.1:5000"),
        ("transportprotocol=udp; localport=5000; server=10.1.1.1", "udp-spontaneous://:5000"),
        ("commandChannel={server=h:8900; transportProtocol=tcp}; transportProtocol=udp;"
         " localport=8800", "tcp+udp://h:8900?data=8800"),
    ],
)  # fmt: skip
def test_strings_of_openpdc_are_understood(text, url):
    assert connection_strings.device_address("d", text) == Address.parse(url)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "server=",
        "transportProtocol=tcp",
        "transportProtocol=serial; port=COM2",
        "transportProtocol=tcp; server=host:port",
        "transportProtocol=udp; commandChannel={server=h:1}",
        "transportProtocol=tcp; server=a b:1",
    ],
)
def test_a_string_without_an_address_is_refused_with_the_devices_name(text):
    with pytest.raises(ValueError, match="device SHELBY: "):
        connection_strings.device_address("SHELBY", text)


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("tcp://:8900", "port=8900"),
        ("udp://:4713", "protocol=udp; port=4713"),
        ("tcp+udp://10.0.0.1:4712?data=4713", "port=4712; interface=10.0.0.1; dataport=4713"),
    ],
)
def test_an_outputs_address_is_its_command_channel(url, text):
    address = Address.parse(url)
    assert connection_strings.command_channel(address) == text
    assert connection_strings.stream_address("s", text) == address


def test_destinations_are_the_data_channel():
    addresses = (
        Address.parse("udp-spontaneous://pdc-2:8800"),
        Address.parse("udp-spontaneous://[2001:db8::1]:8801"),
        Address.parse("udp-spontaneous://239.1.2.3:4713?interface=eth0&ttl=4"),
    )
    text = connection_strings.data_channel(addresses)
    assert text == (
        "port=-1; clients=pdc-2:8800, [2001:db8::1]:8801, 239.1.2.3:4713; interface=eth0; ttl=4"
    )
    assert connection_strings.destinations("s", text) == addresses
    assert connection_strings.data_channel(()) is None
    assert connection_strings.destinations("s", "") == ()


@pytest.mark.parametrize("text", ["", "port=", "port=-1", "port=1; dataport=x"])
def test_a_command_channel_without_a_port_is_refused(text):
    with pytest.raises(ValueError, match="output stream s: "):
        connection_strings.stream_address("s", text)
