"""Finding rows of large tables by the member or the product they belong to."""

from functools import reduce
from operator import or_
from typing import Any

from django.contrib import admin
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.utils.text import smart_split, unescape_string_literal

from accounts.models import User
from shop.models import Product

Fields = tuple[type[Model], tuple[str, ...]]
_CONTACTS = {"email", "phone"}
MEMBER: Fields = (User, ("member_no", "name", "email", "phone"))
PRODUCT: Fields = (Product, ("sku", "name_zh", "name_en", "brand"))


class RelatedSearch(admin.ModelAdmin):
    """A search that looks among members and products first and then takes the rows that belong to what was found.

    Django's own joins every row with its member and product before comparing: on three million purchases 5.6 seconds
    instead of 0.5. `search_related` maps a path to what is searched there; `search_fields` are compared exactly, so
    that their index serves. As in Django's, every word has to be found, and quotes make one word of several.
    """

    search_related: dict[str, Fields] = {}
    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        # To find somebody by an e-mail is to be told whose it is.
        untold = set() if request.user.has_perm("accounts.view_contacts") else _CONTACTS
        for word in smart_split(search_term):
            if word.startswith(('"', "'")) and word[0] == word[-1] and len(word) > 1:
                word = unescape_string_literal(word)
            found = [Q((field, word)) for field in self.get_search_fields(request)]
            for path, (model, fields) in self.search_related.items():
                matching = reduce(or_, (Q((f"{field}__icontains", word)) for field in fields if field not in untold))
                found.append(Q((f"{path}__in", model._default_manager.filter(matching).values("pk"))))
            queryset = queryset.filter(reduce(or_, found))
        return queryset, False
