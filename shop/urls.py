"""The shop's pages, and its part of REST v1."""

from django.urls import path

from shop import api
from shop.views import basket, checkout, orders, payments, stores

app_name = "shop"
urlpatterns = [
    path("", stores.home, name="home"),
    path("stores.css", stores.styles, name="styles"),
    path("s/<slug:code>/", stores.store, name="store"),
    path("s/<slug:code>/p/<path:sku>/", stores.product, name="product"),
    path("s/<slug:code>/basket/", basket.show, name="basket"),
    path("s/<slug:code>/basket/<int:offer_id>/add/", basket.put_in, name="basket_add"),
    path("s/<slug:code>/basket/<int:offer_id>/set/", basket.change, name="basket_set"),
    path("s/<slug:code>/checkout/", checkout.checkout, name="checkout"),
    path("delivery/", checkout.delivery, name="delivery"),
    path("ways-to-pay/", payments.index, name="payment_methods"),
    path("ways-to-pay/<int:method_id>/default/", payments.make_default, name="payment_default"),
    path("ways-to-pay/<int:method_id>/delete/", payments.delete, name="payment_delete"),
    path("ways-to-pay/<slug:kind>/undo/", payments.undo, name="payment_undo"),
    path("orders/", orders.orders, name="orders"),
    path("orders/errands/<int:errand_id>/undo/", orders.take_back, name="undo"),
    path("orders/<slug:number>/", orders.order, name="order"),
]
api_urlpatterns = [
    path("stores/", api.StoresView.as_view(), name="api-stores"),
    path("products/", api.ProductsView.as_view(), name="api-products"),
    path("orders/", api.OrdersView.as_view(), name="api-orders"),
    path("orders/<slug:number>/", api.OrderView.as_view(), name="api-order"),
    path("orders/<slug:number>/undo/", api.UndoView.as_view(), name="api-undo"),
    path("payment-methods/", api.PaymentMethodsView.as_view(), name="api-payment-methods"),
    path("payment-methods/<int:pk>/", api.PaymentMethodView.as_view(), name="api-payment-method"),
]
