"""The demonstration goods: complete, drawable, readable, and refused by name when wrong."""

import re
from collections import defaultdict
from pathlib import Path
from xml.etree import ElementTree

import pytest

from shop.demo.catalogue import CATALOGUE, UNITS, DemoCatalogue, load
from shop.demo.pictures import SHAPES, draw

HAN = re.compile(r"[\u4e00-\u9fff]")
# Forms used in mainland China for characters these shops write often; Taiwan writes them otherwise.
SIMPLIFIED = re.compile("[纸湿护发妆换儿婴卫宝盐胶维浓缩润隐镜养锭滤剂浆补装颜洁剃须蓝无]")
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def catalogue() -> DemoCatalogue:
    return load()


def contrast(one: str, other: str) -> float:
    """The WCAG 2 contrast ratio of two #rrggbb colours."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


# What is on sale


def test_contrast_agrees_with_the_published_extremes():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_each_store_has_its_share_of_products(catalogue):
    assert {store.code: len(catalogue.in_store(store.code)) for store in catalogue.stores} == {
        "dozy-duck": 42,
        "soapberry-lane": 42,
        "morning-mirror": 36,
    }
    assert len(catalogue.products) == 120


def test_stores_sell_in_taiwan_dollars_in_taiwan(catalogue):
    assert {(store.country, store.currency) for store in catalogue.stores} == {("TW", "TWD")}


def test_store_colours_carry_text_in_both_themes(catalogue):
    for store in catalogue.stores:
        assert contrast(store.accent_light, "#ffffff") >= 4.5, store.code
        assert contrast(store.accent_dark, "#14110f") >= 4.5, store.code


def test_every_name_is_there_in_both_languages(catalogue):
    entries = [*catalogue.stores, *catalogue.categories, *catalogue.needs, *catalogue.products]
    pairs = [(entry.name_en, entry.name_zh) for entry in entries]
    pairs += [(store.tagline_en, store.tagline_zh) for store in catalogue.stores]
    for english, chinese in pairs:
        assert english, chinese
        assert not HAN.search(english), english
        assert HAN.search(chinese), english
        assert not SIMPLIFIED.search(chinese), chinese


def test_names_fit_a_phone_but_for_two_that_test_the_layout(catalogue):
    long = [p.sku for p in catalogue.products if len(p.name_en) > 44 or len(p.name_zh) > 20]
    assert len(long) == 2


def test_prices_are_whole_dollars_a_household_would_pay(catalogue):
    for product in catalogue.products:
        assert type(product.price) is int, product.sku
        assert 40 <= product.price <= 1500, product.sku
        assert product.price / product.use_days <= 150, product.sku


def test_two_products_are_sold_out_and_one_is_discontinued(catalogue):
    assert sum(product.stock == 0 for product in catalogue.products) == 2
    assert [product.stock > 0 for product in catalogue.products if not product.active] == [True]


def test_every_need_keeps_a_product_that_can_be_bought(catalogue):
    buyable = {product.need for product in catalogue.products if product.active and product.stock}
    assert {need.slug for need in catalogue.needs} == buyable


def test_no_category_unit_or_shape_is_idle(catalogue):
    assert {product.category for product in catalogue.products} == {c.slug for c in catalogue.categories}
    assert {product.package_unit for product in catalogue.products} == set(UNITS)
    assert {product.picture for product in catalogue.products} == set(SHAPES)


def test_many_needs_are_met_by_several_brands(catalogue):
    brands = defaultdict(set)
    for product in catalogue.products:
        brands[product.need].add(product.brand)
    assert len(brands["diapers-size-3"]) == 3
    assert sum(len(names) > 1 for names in brands.values()) >= 25


def test_some_needs_are_met_in_two_stores(catalogue):
    stores = defaultdict(set)
    for product in catalogue.products:
        stores[product.need].add(product.store)
    shared = {need: codes for need, codes in stores.items() if len(codes) > 1}
    assert shared == {
        "hand-soap": {"soapberry-lane", "morning-mirror"},
        "soft-tissues": {"dozy-duck", "soapberry-lane"},
        "wet-wipes": {"dozy-duck", "soapberry-lane"},
        "cotton-swabs": {"dozy-duck", "morning-mirror"},
    }


# Pictures


@pytest.mark.parametrize("shape", SHAPES)
def test_a_picture_is_small_closed_svg(shape):
    svg = draw(shape, "#d4738c", "衛生紙" * 40)
    root = ElementTree.fromstring(svg)
    assert root.tag == f"{SVG}svg"
    assert root.get("viewBox") == "0 0 160 160"
    assert len(svg.encode()) < 2500
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
        "svg", "g", "rect", "circle", "ellipse", "path"
    }  # fmt: skip
    for element in root.iter():
        assert not [name for name in element.attrib if name == "id" or "href" in name or name.startswith("on")]
        assert not [value for value in element.attrib.values() if "url(" in value]


def test_every_product_draws_in_its_tint(catalogue):
    for product in catalogue.products:
        svg = draw(product.picture, product.tint, product.name_zh)
        assert ElementTree.fromstring(svg).get("aria-label") == product.name_zh
        assert product.tint in svg, product.sku


def test_shapes_differ_from_one_another():
    assert len({draw(shape, "#4f9d8c") for shape in SHAPES}) == len(SHAPES) >= 20


def test_a_label_cannot_break_out_of_the_picture():
    label = '"><script>alert(1)</script>&'
    root = ElementTree.fromstring(draw("jar", "#4f9d8c", label))
    assert root.get("aria-label") == label
    assert root.find(f".//{SVG}script") is None


def test_a_picture_without_a_label_is_hidden_from_screen_readers():
    root = ElementTree.fromstring(draw("jar", "#4f9d8c"))
    assert root.get("aria-hidden") == "true"
    assert root.get("role") is None


@pytest.mark.parametrize("tint", ["red", "#fff", "#4f9d8c;", '#4f9d8c"', "#4f9d8c\n", ""])
def test_a_tint_that_is_no_colour_is_refused(tint):
    with pytest.raises(ValueError, match="tint"):
        draw("jar", tint)


def test_an_unknown_shape_is_refused():
    with pytest.raises(ValueError, match="'teapot'"):
        draw("teapot", "#4f9d8c")


# A catalogue that is wrong


def changed(folder: Path, sku: str, old: str, new: str) -> Path:
    """The real catalogue with `old` turned into `new` in the table that starts at `sku`."""
    head, mark, tail = CATALOGUE.read_text(encoding="utf-8").partition(f'"{sku}"')
    assert mark
    table, blank, rest = tail.partition("\n\n")
    assert old in table
    path = folder / "catalogue.toml"
    path.write_text(head + mark + table.replace(old, new) + blank + rest, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("sku", "old", "new", "message"),
    [
        ("DD-001", '"dozy-duck"', '"sleepy-goose"', "DD-001: store: 'sleepy-goose' is not known"),
        ("DD-002", '"diapers"', '"nappies"', "DD-002: category: 'nappies' is not known"),
        ("SL-003", '"laundry-liquid"', '"ironing"', "SL-003: need: 'ironing' is not known"),
        ("SL-004", '"pod"', '"handful"', "SL-004: package_unit: 'handful' is not known"),
        ("MM-001", '"sheet-mask"', '"teapot"', "MM-001: picture: 'teapot' is not known"),
        ("MM-002", "price = 199", "price = 199.5", "MM-002: price: must be a whole number, not 199.5"),
        ("MM-002", "price = 199", "price = 0", "MM-002: price: must be above 0"),
        ("MM-003", "use_days = 15", "use_days = -1", "MM-003: use_days: must be above 0"),
        ("MM-004", "stock = 160", "stock = -1", "MM-004: stock: must not be below 0"),
        ("MM-004", "stock = 160", "stock = true", "MM-004: stock: must be a whole number, not True"),
        ("MM-005", "stock = 90", "stok = 90", "MM-005: stok: is not a known field"),
        ("MM-005", "stock = 90\n", "", "MM-005: stock: is missing"),
        ("MM-006", 'name_zh = "月拋隱形眼鏡 3 副"', 'name_zh = " "', "MM-006: name_zh: must be filled and trimmed"),
        ("MM-007", 'tint = "#', 'tint = "', "MM-007: tint: must be a #rrggbb colour"),
        ("DD-006", '"piece"', '"pair"', "DD-006: package_unit: the other products for 'diapers-size-3'"),
        ("MM-009", "Gentle lens solution, twin pack", "Monthly lenses, high moisture, 1 pair", "MM-009: name_en: "),
        ("morning-mirror", "#a63a5c", "pink", "morning-mirror: accent_light: must be a #rrggbb colour"),
        ("morning-mirror", '"TWD"', '"NT$"', "morning-mirror: currency: must be 3 capitals"),
        ("hand-soap", "name_en", "name_fr", "hand-soap: name_fr: is not a known field"),
    ],
)
def test_a_wrong_entry_is_named_with_its_field(tmp_path, sku, old, new, message):
    with pytest.raises(ValueError, match="^" + re.escape(message)):
        load(changed(tmp_path, sku, old, new))


def test_a_sku_used_twice_is_named(tmp_path):
    path = tmp_path / "catalogue.toml"
    text = CATALOGUE.read_text(encoding="utf-8")
    path.write_text(text.replace('sku = "DD-002"', 'sku = "DD-001"'), encoding="utf-8")
    with pytest.raises(ValueError, match=r"^DD-001: sku: is used twice"):
        load(path)


def test_a_product_without_a_sku_is_named_by_its_place(tmp_path):
    path = tmp_path / "catalogue.toml"
    text = CATALOGUE.read_text(encoding="utf-8")
    path.write_text(text.replace('sku = "DD-002"\n', ""), encoding="utf-8")
    with pytest.raises(ValueError, match=r"^product 2: sku: is missing"):
        load(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[product]\nsku = 1", "catalogue.toml: not valid TOML"),
        ("", "store: there must be [[store]] tables"),
        ("[store]\ncode = 'a'", "store: there must be [[store]] tables"),
        ("[[shops]]\ncode = 'a'", "catalogue.toml: shops: not a known table"),
    ],
)
def test_a_broken_file_is_named(tmp_path, text, message):
    path = tmp_path / "catalogue.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=re.escape(message)):
        load(path)
