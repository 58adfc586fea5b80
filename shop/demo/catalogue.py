"""Reading and checking catalogue.toml, the goods of the demonstration shops."""

import re
import tomllib
from dataclasses import MISSING, dataclass, fields
from pathlib import Path

from shop.demo.pictures import SHAPES

CATALOGUE = Path(__file__).with_name("catalogue.toml")
UNITS = ("piece", "sheet", "roll", "ml", "g", "capsule", "pair", "pod", "wipe")

_WORDS: dict[object, str] = {str: "text", int: "a whole number", bool: "true or false"}
_SLUG_RULE = "must be lower-case words joined by hyphens"
_COLOUR_RULE = "must be a #rrggbb colour"
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_COLOUR = re.compile(r"#[0-9a-f]{6}")


@dataclass(frozen=True, slots=True)
class DemoStore:
    code: str
    name_en: str
    name_zh: str
    tagline_en: str
    tagline_zh: str
    accent_light: str
    accent_dark: str
    country: str
    currency: str


@dataclass(frozen=True, slots=True)
class DemoCategory:
    slug: str
    name_en: str
    name_zh: str


@dataclass(frozen=True, slots=True)
class DemoNeed:
    """What a household runs out of; products of several brands and stores can meet one need."""

    slug: str
    name_en: str
    name_zh: str


@dataclass(frozen=True, slots=True)
class DemoProduct:
    """One pack on sale. `store`, `category` and `need` are slugs; `price` is in whole currency units."""

    sku: str
    store: str
    name_en: str
    name_zh: str
    brand: str
    category: str
    need: str
    package_size: int
    package_unit: str
    price: int
    use_days: int
    popularity: int
    stock: int
    picture: str
    tint: str
    active: bool = True


@dataclass(frozen=True, slots=True)
class DemoCatalogue:
    stores: tuple[DemoStore, ...]
    categories: tuple[DemoCategory, ...]
    needs: tuple[DemoNeed, ...]
    products: tuple[DemoProduct, ...]

    def in_store(self, code: str) -> tuple[DemoProduct, ...]:
        return tuple(product for product in self.products if product.store == code)


def load(path: Path = CATALOGUE) -> DemoCatalogue:
    """The whole catalogue, or a ValueError naming the entry and the field that is wrong."""
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path.name}: not valid TOML: {error}") from error
    for name in tables:
        if name not in ("store", "category", "need", "product"):
            raise ValueError(f"{path.name}: {name}: not a known table")

    stores = _read(tables, "store", DemoStore)
    categories = _read(tables, "category", DemoCategory)
    needs = _read(tables, "need", DemoNeed)
    products = _read(tables, "product", DemoProduct)
    for store in stores:
        _check_store(store)
    for group in (categories, needs):
        for entry in group:
            _require(_SLUG.fullmatch(entry.slug), entry.slug, "slug", _SLUG_RULE)
    _check_products(products, stores, categories, needs)
    return DemoCatalogue(stores, categories, needs, products)


def _require(holds: object, key: str, field: str, rule: str) -> None:
    if not holds:
        raise ValueError(f"{key}: {field}: {rule}")


def _read(tables: dict, name: str, kind: type) -> tuple:
    """The `[[name]]` tables as `kind`, whose first field is the key that has to be unique."""
    entries = tables.get(name)
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ValueError(f"{name}: there must be [[{name}]] tables")
    expected = {field.name: field for field in fields(kind)}
    key_field = next(iter(expected))
    seen: set[str] = set()
    made = []
    for position, entry in enumerate(entries, start=1):
        key = str(entry.get(key_field) or f"{name} {position}")
        for given in entry:
            _require(given in expected, key, given, "is not a known field")
        for field in expected.values():
            if field.name not in entry:
                _require(field.default is not MISSING, key, field.name, "is missing")
                continue
            value = entry[field.name]
            rule = f"must be {_WORDS[field.type]}, not {value!r}"
            _require(type(value) is field.type, key, field.name, rule)
            if isinstance(value, str):
                _require(value and value == value.strip(), key, field.name, "must be filled and trimmed")
        _require(key not in seen, key, key_field, "is used twice")
        seen.add(key)
        made.append(kind(**entry))
    return tuple(made)


def _check_store(store: DemoStore) -> None:
    _require(_SLUG.fullmatch(store.code), store.code, "code", _SLUG_RULE)
    for field in ("accent_light", "accent_dark"):
        _require(_COLOUR.fullmatch(getattr(store, field)), store.code, field, _COLOUR_RULE)
    for field, length in (("country", 2), ("currency", 3)):
        value = getattr(store, field)
        _require(re.fullmatch(f"[A-Z]{{{length}}}", value), store.code, field, f"must be {length} capitals")


def _check_products(
    products: tuple[DemoProduct, ...],
    stores: tuple[DemoStore, ...],
    categories: tuple[DemoCategory, ...],
    needs: tuple[DemoNeed, ...],
) -> None:
    known = {
        "store": {store.code for store in stores},
        "category": {category.slug for category in categories},
        "need": {need.slug for need in needs},
        "package_unit": set(UNITS),
        "picture": set(SHAPES),
    }
    unit_of_need: dict[str, str] = {}
    shelf: set[tuple[str, str, str]] = set()
    for product in products:
        for field, values in known.items():
            value = getattr(product, field)
            _require(value in values, product.sku, field, f"{value!r} is not known")
        for field in ("package_size", "price", "use_days", "popularity"):
            _require(getattr(product, field) > 0, product.sku, field, "must be above 0")
        _require(product.stock >= 0, product.sku, "stock", "must not be below 0")
        _require(_COLOUR.fullmatch(product.tint), product.sku, "tint", _COLOUR_RULE)

        unit = unit_of_need.setdefault(product.need, product.package_unit)
        rule = f"the other products for {product.need!r} are counted by {unit!r}"
        _require(product.package_unit == unit, product.sku, "package_unit", rule)

        for field in ("name_en", "name_zh"):
            place = (product.store, product.brand, getattr(product, field))
            _require(place not in shelf, product.sku, field, "is already used by this brand in this store")
            shelf.add(place)
