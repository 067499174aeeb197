"""When steps are taken: as many a second as the task has, and as soon as the controls move."""

from collections.abc import Callable, Iterator


def paced(
    period: float,
    clock: Callable[[], float],
    wait: Callable[[float], None],
    has_news: Callable[[], bool],
) -> Iterator[None]:
    """Yield once in each period: at its end, or within it as soon as there is news.

    Steps wait where there is too little time, and none is dropped.

    Args:
        period: seconds.
        clock: returns seconds, and never goes back.
        wait: returns after so many seconds, or earlier where something may have happened.
        has_news: whether something has.
    """
    end = clock()
    while True:
        yield
        start = max(end, clock() - period)
        end = start + period
        while clock() < start:
            wait(start - clock())
        while (left := end - clock()) > 0.0 and not has_news():
            wait(left)
