from service.backoff import Backoff


def test_pauses_double_up_to_the_last_one():
    pauses = Backoff(0.1, 1.0)
    assert [round(pauses.pause_s(), 3) for _ in range(6)] == [0.1, 0.2, 0.4, 0.8, 1.0, 1.0]


def test_a_success_starts_with_the_first_pause_again():
    pauses = Backoff(0.5, 10)
    pauses.pause_s()
    pauses.pause_s()
    pauses.reset()
    assert pauses.pause_s() == 0.5
