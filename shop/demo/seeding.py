"""The demo catalogue, written into the shop's tables."""

from decimal import Decimal

from django.core.files.base import ContentFile
from django.db import transaction

from shop.demo.catalogue import DemoCatalogue, DemoProduct
from shop.demo.pictures import draw
from shop.models import Category, Channel, Need, Offer, Product, Store


@transaction.atomic
def fill(catalogue: DemoCatalogue) -> dict[str, Offer]:
    """Write stores, channels, categories, needs, products with their pictures, and offers; the offers by SKU."""
    stores = {
        store.code: Store.objects.create(
            code=store.code,
            name_zh=store.name_zh,
            name_en=store.name_en,
            tagline_zh=store.tagline_zh,
            tagline_en=store.tagline_en,
            accent_light=store.accent_light,
            accent_dark=store.accent_dark,
            country=store.country,
            currency=store.currency,
            position=position,
        )
        for position, store in enumerate(catalogue.stores)
    }
    for code, store in stores.items():
        for kind in Channel.Kind:
            Channel.objects.create(
                code=f"{code}-{kind}", name=f"{store.name_en} · {kind.value}", kind=kind, store=store
            )
    categories = {
        category.slug: Category.objects.create(code=category.slug, name_zh=category.name_zh, name_en=category.name_en)
        for category in catalogue.categories
    }
    category_of = {product.need: product.category for product in reversed(catalogue.products)}
    needs = {
        need.slug: Need.objects.create(
            code=need.slug,
            name_zh=need.name_zh,
            name_en=need.name_en,
            category=categories[category_of[need.slug]],
        )
        for need in catalogue.needs
    }
    return {
        product.sku: Offer.objects.create(
            store=stores[product.store],
            product=_product(product, categories, needs),
            price=Decimal(product.price),
            currency=stores[product.store].currency,
            stock=product.stock,
            is_active=product.active,
        )
        for product in catalogue.products
    }


def _product(demo: DemoProduct, categories: dict[str, Category], needs: dict[str, Need]) -> Product:
    product = Product(
        sku=demo.sku,
        name_zh=demo.name_zh,
        name_en=demo.name_en,
        brand=demo.brand,
        category=categories[demo.category],
        need=needs[demo.need],
        package_size=demo.package_size,
        package_unit=demo.package_unit,
    )
    product.picture.save(f"{demo.sku}.svg", ContentFile(draw(demo.picture, demo.tint).encode()), save=False)
    product.save()
    return product
