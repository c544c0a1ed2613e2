"""The sender's half of a session: bytes of a client in, events out."""

from dataclasses import replace

import pytest
import stream_fixtures as streams

from grid import c37118
from grid.c37118 import BadRequest, Command, DataSwitch, Reply, SenderSession, SessionOpened

CONFIGURATION = c37118.Configuration(
    idcode=7,
    stamp=streams.NOW,
    time_base=1_000_000,
    stations=(streams.station(7),),
    data_rate=50,
)


def answer(command: int) -> bytes | tuple[bytes, ...] | None:
    return c37118.standard_answer(command, CONFIGURATION, header="a test")


def command(what: int, idcode: int = 7) -> bytes:
    return c37118.CommandFrame.now(what, idcode=idcode).encode()


def damaged(frame: bytes) -> bytes:
    return frame[:-1] + bytes([frame[-1] ^ 1])


@pytest.fixture
def session() -> SenderSession:
    return SenderSession(7, answer)


def test_the_first_command_opens_the_session(session: SenderSession):
    assert list(session.feed(command(Command.DATA_ON))) == [SessionOpened(), DataSwitch(on=True)]
    assert list(session.feed(command(Command.DATA_OFF))) == [DataSwitch(on=False)]


def test_a_command_may_come_in_pieces(session: SenderSession):
    frame = command(Command.SEND_CFG2)
    assert list(session.feed(frame[:5])) == []
    assert list(session.feed(frame[5:])) == [
        SessionOpened(),
        Reply(frames=(CONFIGURATION.encode(),)),
    ]


def test_a_datagram_has_its_commands_whole(session: SenderSession):
    frame = command(Command.DATA_ON)
    (event,) = session.feed_datagram(frame[:5])
    assert isinstance(event, BadRequest)
    assert list(session.feed_datagram(frame)) == [SessionOpened(), DataSwitch(on=True)]
    assert session.counts.skipped_bytes == 5


def test_each_frame_of_the_standard_is_answered(session: SenderSession):
    def reply(what: Command) -> tuple[bytes, ...]:
        *_, event = session.feed(command(what))
        assert isinstance(event, Reply)
        return event.frames

    assert reply(Command.SEND_CFG1) == (
        replace(CONFIGURATION, type=c37118.FrameType.CFG1).encode(),
    )
    (header,) = reply(Command.SEND_HEADER)
    assert c37118.HeaderFrame.decode(header).text == "a test"
    # This sender has no CFG-3 of its own: the content of its CFG-2 is sent in that form.
    details = c37118.Configuration3.decode(*reply(Command.SEND_CFG3))
    assert [station.name for station in details.stations] == ["pmu-7"]


def test_a_sender_with_details_answers_with_its_own_cfg3():
    details = replace(c37118.Configuration3.of(CONFIGURATION), data_rate=25)

    def own(what: int) -> bytes | tuple[bytes, ...] | None:
        return c37118.standard_answer(what, CONFIGURATION, header="", details=lambda: details)

    *_, event = SenderSession(7, own).feed(command(Command.SEND_CFG3))
    assert isinstance(event, Reply)
    assert c37118.Configuration3.decode(*event.frames).data_rate == 25


@pytest.mark.parametrize(
    ("data", "kind", "count"),
    [
        (command(Command.DATA_ON, idcode=8), "idcode", "wrong_idcodes"),
        (CONFIGURATION.encode(), "frame", "bad_frames"),
        (command(77), "command 77", "unanswered"),
        (b"GET / HTTP/1.1\r\n\r\n", "garbage", "skipped_bytes"),
        (damaged(command(Command.DATA_ON)), "garbage", "bad_crcs"),
    ],
    ids=["another stream", "no command", "unknown command", "no frame", "wrong CRC"],
)
def test_what_cannot_be_obeyed_is_counted_and_reported(
    session: SenderSession, data: bytes, kind: str, count: str
):
    (event,) = [event for event in session.feed(data) if not isinstance(event, SessionOpened)]
    assert isinstance(event, BadRequest)
    assert event.kind == kind
    assert getattr(session.counts, count) >= 1
    # The session goes on.
    assert list(session.feed(command(Command.DATA_ON)))[-1] == DataSwitch(on=True)


def test_sessions_of_a_sender_share_their_counts():
    counts = c37118.CommandCounts()
    for _ in range(2):
        list(SenderSession(7, answer, counts=counts).feed(command(Command.DATA_ON, idcode=9)))
    assert counts.wrong_idcodes == 2


def test_both_halves_understand_each_other():
    receiver, sender = c37118.ReceiverSession(7), SenderSession(7, answer)
    receiver.open()
    receiver.ask()
    data_on, events = False, []
    for _ in range(3):
        for frame in receiver.commands():
            for event in sender.feed(frame):
                if isinstance(event, Reply):
                    events += receiver.feed(b"".join(event.frames))
                elif isinstance(event, DataSwitch):
                    data_on = event.on
    assert events == [CONFIGURATION]
    assert data_on
