import pytest
from hypothesis import given
from hypothesis import strategies as st

from lp_core.errors import SettingError
from lp_core.speech.voices.script import LONGEST_TEXT, read_script
from lp_core.speech.voices.text import LONGEST, paragraphs, sentences


def texts(script):
    return [piece.text for piece in read_script(script)]


def test_sentences_of_several_languages():
    assert sentences("Hello there. How are you? Fine!") == ["Hello there.", "How are you?", "Fine!"]
    assert sentences("Dr. Smith met J. K. Rowling at 3.5 km. \u201cReally?\u201d he said.") == [
        "Dr. Smith met J. K. Rowling at 3.5 km.",
        "\u201cReally?\u201d he said.",
    ]
    assert sentences("今日は。元気ですか？") == ["今日は。", "元気ですか？"]
    assert paragraphs("one\ntwo\n\n three ") == ["one two", "three"]


@given(st.text(alphabet="abc ,.;!?\u3002\u4eca", max_size=2000))
def test_nothing_is_lost_and_no_piece_is_too_long(text):
    pieces = sentences(" ".join(text.split()))
    assert "".join("".join(pieces).split()) == "".join(text.split())
    assert all(0 < len(piece) <= LONGEST for piece in pieces)


def test_ssml_subset():
    script = (
        "<speak>Hello <emphasis level='strong'>big</emphasis> world.<break time='700ms'/>"
        "<prosody rate='slow'>Slowly now.</prosody> <sub alias='World Wide Web'>WWW</sub> "
        "<phoneme alphabet='ipa' ph='təmˈeɪtoʊ'>tomato</phoneme>.</speak>"
    )
    pieces = read_script(script)
    assert [piece.text for piece in pieces] == [
        "Hello big world.", "Slowly now.", "World Wide Web [tomato](/təmˈeɪtoʊ/) .",
    ]  # fmt: skip
    assert pieces[0].gains == ((1, 2, 1.5),)
    assert pieces[0].pause_s == pytest.approx(0.95)
    assert pieces[1].speed == 0.8


def test_namespaces_and_unknown_elements_are_read_through():
    script = '<speak xmlns="http://www.w3.org/2001/10/synthesis"><p><s>One.</s><voice name="x">Two.</voice></p></speak>'
    assert texts(script) == ["One.", "Two."]


@pytest.mark.parametrize(
    "script",
    [
        "",
        "  ...  ",
        "<speak></speak>",
        "<speak>a",
        "<speak><break time='soon'/>a</speak>",
        "<speak><prosody rate='loud'>a</prosody></speak>",
        '<!DOCTYPE speak [<!ENTITY a "b">]><speak>&a;</speak>'.replace("<!DOCTYPE", "<speak/><!DOCTYPE"),
        '<speak><!DOCTYPE x [<!ENTITY a "aaaa">]>&a;</speak>',
        "<speak>" + "<p>" * 40 + "a" + "</p>" * 40 + "</speak>",
        "a" * (LONGEST_TEXT + 1),
    ],
)
def test_scripts_that_are_refused(script):
    with pytest.raises(SettingError):
        read_script(script)


def test_control_characters_are_no_speech():
    assert texts("a\x00b\x1b[31m c.") == ["a b [31m c."]
