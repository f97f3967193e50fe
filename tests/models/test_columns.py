from __future__ import annotations

from statuspage.models.columns import CODE, code_of, hash_token, new_code


def test_a_code_has_twelve_letters_and_digits_and_is_not_met_again() -> None:
    made = {new_code() for _ in range(100)}
    assert len(made) == 100
    assert all(CODE.fullmatch(code) for code in made)


def test_a_code_can_follow_from_a_digest() -> None:
    assert code_of(b"\0" * 16) == "a" * 12
    assert code_of(b"x" * 16) == code_of(b"x" * 16) != code_of(b"y" * 16)
    assert CODE.fullmatch(code_of(b"\xff" * 16))


def test_a_token_is_kept_as_its_sha_256_whatever_characters_it_has() -> None:
    assert hash_token("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert len(hash_token("\udcff")) == 64
