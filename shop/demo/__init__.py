"""The invented shops, goods and drawings that fill a demonstration storefront."""
