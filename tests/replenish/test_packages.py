import pytest
from hypothesis import given
from hypothesis import strategies as st

from replenish.packages import GRAMS, MILLILITRES, PIECES, package_size

OUNCE, POUND, GALLON = 28.349523125, 453.59237, 3785.411784


@pytest.mark.parametrize(
    ("text", "size", "dimension"),
    [
        ("16 OZ", 16 * OUNCE, GRAMS),
        ("2 LB", 2 * POUND, GRAMS),
        ("3 kg", 3000, GRAMS),
        ("750公克", 750, GRAMS),
        ("500 ml", 500, MILLILITRES),
        ("1.5 L", 1500, MILLILITRES),
        ("1,5 l", 1500, MILLILITRES),
        ("1,000 ml", 1000, MILLILITRES),
        ("1 GAL", GALLON, MILLILITRES),
        ("QT", GALLON / 4, MILLILITRES),
        ("10 fl. oz", 295.735, MILLILITRES),
        ("12 CT", 12, PIECES),
        ("12-CT", 12, PIECES),
        ("2 DZ", 24, PIECES),
        ("84入", 84, PIECES),
        ("144 CT/SZ 3", 144, PIECES),
        (".5 LB", POUND / 2, GRAMS),
    ],
)
def test_a_size_is_read_in_the_common_unit(text, size, dimension):
    assert package_size(text) == (pytest.approx(size, rel=1e-5), dimension)


@pytest.mark.parametrize(
    ("text", "size"),
    [("1/2 GAL", 0.5), ("3/4 GAL", 0.75), ("1 1/2 GAL", 1.5), ("2-3/4 GAL", 2.75), ("L16 5/8 GAL", 16.625)],
)
def test_fractions_are_read(text, size):
    assert package_size(text) == (pytest.approx(size * GALLON), MILLILITRES)


@pytest.mark.parametrize(
    "text", ["6 PK / 12 OZ", "6 PK 12 OZ", "6/12 OZ", "6 x 12 oz", "6x12OZ", "6 P/12 Z", "3 BAR/24 OZ"]
)
def test_a_pack_of_packs_holds_them_all(text):
    assert package_size(text) == (pytest.approx(72 * OUNCE), GRAMS)


@pytest.mark.parametrize("text", ["6 CT/37.2 OZ", "37.2 OZ/6 CT", "123471 37.2 OZ", "D/37.2 OZ", "37.2 OZ CAN"])
def test_a_count_beside_a_weight_is_not_multiplied(text):
    assert package_size(text) == (pytest.approx(37.2 * OUNCE), GRAMS)


def test_tablets_are_counted_not_weighed():
    assert package_size("120 CT/81 MG") == (120, PIECES)


@pytest.mark.parametrize(
    "text",
    ["", "KING", "LG/XLG", "83.5 SQ FT", "9 IN", "30-39 CT", "1-1.2 LB", "80/88 CT", "971283  PK", "0 OZ", "12 OZBERG"],
)
def test_what_does_not_tell_is_unknown(text):
    assert package_size(text) is None


@given(st.text(alphabet="0123456789./,- xXOZLBPKCTGAml入*×", max_size=20))
def test_no_text_is_too_odd(text):
    found = package_size(text)
    assert found is None or 0 < found[0] < 1e12
