import pytest

from icf.dataset.licences import Source, shown


@pytest.mark.parametrize("scheme", ["http", "HTTPS", "ftp"])
def test_a_release_shows_no_login_of_an_address(scheme: str) -> None:
    page = f"{scheme}://ann:m@on@a.example/p?to=bob@b.example"
    plain = Source("https://a.example/@ann/1.png", "", "CC0", "", "list", "")
    secret = Source("https://ann@a.example/1.png", page, "CC0", "", "list", "")
    first, second = shown({1: [plain, secret]})[1]
    assert first == plain
    assert second.url == "https://a.example/1.png"
    assert second.page == f"{scheme}://a.example/p?to=bob@b.example"
