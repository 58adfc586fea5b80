"""Where a member wants things delivered."""

from typing import Any, cast

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import generics, serializers

from accounts import members
from accounts.forms import AddressForm
from accounts.models import Address, User
from accounts.problems import refused


class AddressSerializer(serializers.ModelSerializer):
    is_default = serializers.BooleanField(
        required=False,
        default=False,
        help_text="true makes it the one default. false leaves the default where it is: choose another instead.",
    )

    class Meta:
        model = Address
        fields = ["id", "recipient", "phone", "postal_code", "city", "region", "street", "country", "is_default"]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The same rules, word for word, as the page's form."""
        make_default = attrs.pop("is_default", False)
        kept = {} if self.instance is None else {name: getattr(self.instance, name) for name in AddressForm.Meta.fields}
        form = AddressForm({"country": "TW", **kept, **attrs})
        if not form.is_valid():
            raise refused(form)
        return {**form.cleaned_data, "make_default": make_default}

    def create(self, validated_data: dict[str, Any]) -> Address:
        return members.save_address(**validated_data)

    def update(self, instance: Address, validated_data: dict[str, Any]) -> Address:
        return members.save_address(address_id=instance.pk, **validated_data)


class _MyAddresses(generics.GenericAPIView):
    serializer_class = AddressSerializer
    queryset = Address.objects.none()  # for the schema; a member's own come from get_queryset

    @property
    def member(self) -> User:
        return cast(User, self.request.user)

    def get_queryset(self) -> QuerySet[Address]:
        if getattr(self, "swagger_fake_view", False):
            return self.queryset
        return members.addresses(self.member)


@extend_schema_view(
    get=extend_schema(summary="My addresses, the default one first"),
    post=extend_schema(summary="Add an address", description="The first one becomes the default."),
)
class AddressListView(_MyAddresses, generics.ListCreateAPIView):
    def perform_create(self, serializer: serializers.BaseSerializer) -> None:
        serializer.save(member=self.member)


@extend_schema_view(
    get=extend_schema(summary="One of my addresses"),
    patch=extend_schema(summary="Change an address"),
    delete=extend_schema(summary="Forget an address", description="The newest of the others becomes the default."),
)
class AddressView(_MyAddresses, generics.RetrieveUpdateDestroyAPIView):
    http_method_names = ["get", "patch", "delete", "head", "options"]

    def perform_update(self, serializer: serializers.BaseSerializer) -> None:
        serializer.save(member=self.member)

    def perform_destroy(self, instance: Address) -> None:
        members.delete_address(member=self.member, address_id=instance.pk)
