"""The orders of a real marketplace, Olist, as events of this shop. No part of the reusable apps.

The data set is that of https://www.kaggle.com/datasets/olistbr/brazilian-ecommerce; it doesn't come
with this project.
"""
