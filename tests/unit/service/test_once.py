from service.once import Once


def test_each_thing_is_new_once():
    once = Once()
    assert [once.first(what) for what in ("a", "b", "a", ("a", 1), ("a", 1))] == [
        True, True, False, True, False,
    ]  # fmt: skip


def test_beyond_the_most_nothing_is_new():
    once = Once(most=2)
    assert [once.first(number) for number in range(4)] == [True, True, False, False]
    assert not once.first(0)
