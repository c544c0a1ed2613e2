import pytest

from grid.transport.address import Address, AddressError, Transport


@pytest.mark.parametrize(
    ("text", "transport", "host", "port", "canonical"),
    [
        ("pmu-1:4800", Transport.TCP, "pmu-1", 4800, "tcp://pmu-1:4800"),
        ("tcp://10.0.0.7", Transport.TCP, "10.0.0.7", 4712, "tcp://10.0.0.7:4712"),
        ("[fd00::1]:4712", Transport.TCP, "fd00::1", 4712, "tcp://[fd00::1]:4712"),
        ("tcp://:4712", Transport.TCP, "", 4712, "tcp://:4712"),
        ("udp://[fe80::1%eth0]", Transport.UDP, "fe80::1%eth0", 4713, "udp://[fe80::1%eth0]:4713"),
        (
            "tcp+udp://pmu:4712?data=5000", Transport.TCP_UDP, "pmu", 4712,
            "tcp+udp://pmu:4712?data=5000",
        ),
        ("tcp+udp://pmu", Transport.TCP_UDP, "pmu", 4712, "tcp+udp://pmu:4712?data=4713"),
        (
            "udp-spontaneous://239.1.2.3:4713?ttl=4&interface=eth0", Transport.SPONTANEOUS,
            "239.1.2.3", 4713, "udp-spontaneous://239.1.2.3:4713?interface=eth0&ttl=4",
        ),
        (
            "udp-spontaneous://[ff02::5]", Transport.SPONTANEOUS, "ff02::5", 4713,
            "udp-spontaneous://[ff02::5]:4713",
        ),
    ],
)  # fmt: skip
def test_an_address_is_read_and_written(text, transport, host, port, canonical):
    address = Address.parse(text)
    assert (address.transport, address.host, address.port) == (transport, host, port)
    assert str(address) == canonical
    assert Address.parse(canonical) == address


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("http://pmu", "the scheme 'http' is unknown"),
        ("tcp://fd00::1:4712", "another form"),
        ("pmu:port", "another form"),
        ("pmu:70000", "above 65535"),
        ("tcp://pmu?ttl=3", "tcp has no option 'ttl'"),
        ("tcp+udp://pmu?data=x", "data=x is no number"),
        ("tcp+udp://pmu?data=0", "no port 0"),
        ("udp-spontaneous://239.1.1.1?ttl=256", "ttl 256 is not within"),
        ("udp-spontaneous://10.0.0.1?ttl=2", "for multicast groups"),
        ("udp://239.1.1.1", "takes udp-spontaneous"),
        ("", None),
    ],
)
def test_what_is_no_address_is_refused_in_one_sentence(text, message):
    if message is None:
        assert Address.parse(text) == Address()
        return
    with pytest.raises(AddressError, match=message) as caught:
        Address.parse(text)
    assert "\n" not in str(caught.value)
    assert "write tcp://HOST:PORT" in str(caught.value)
