from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="PlacedOrder",
            fields=[
                (
                    "order_id",
                    models.UUIDField(primary_key=True, serialize=False, verbose_name="order id"),
                ),
                ("month", models.CharField(max_length=7, verbose_name="month")),
                ("status", models.CharField(max_length=20, verbose_name="status")),
                (
                    "fate",
                    models.CharField(
                        choices=[
                            ("completed", "completed"),
                            ("no_stock", "cancelled, nothing to undo"),
                            ("not_paid", "cancelled, stock released"),
                            ("not_carried", "cancelled, payment refunded, stock released"),
                            ("parcel_awaited", "running, waiting for shipping"),
                            ("payment_awaited", "running, waiting for payment"),
                        ],
                        max_length=20,
                        verbose_name="fate",
                    ),
                ),
                (
                    "charged",
                    models.DecimalField(decimal_places=3, max_digits=15, verbose_name="charged"),
                ),
            ],
            options={
                "verbose_name": "order of Olist",
                "verbose_name_plural": "orders of Olist",
                "indexes": [models.Index(fields=["month", "order_id"], name="olist_month")],
            },
        ),
    ]
