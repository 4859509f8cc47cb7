from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0002_read_models"),
    ]

    operations = [
        migrations.AddField(
            model_name="ordersummary",
            name="charged_amount",
            field=models.DecimalField(
                decimal_places=3, default=0, max_digits=15, verbose_name="charged"
            ),
        ),
        migrations.AddField(
            model_name="ordersummary",
            name="delivered_at",
            field=models.DateTimeField(null=True, verbose_name="delivered"),
        ),
        migrations.AddField(
            model_name="ordersummary",
            name="refunded_amount",
            field=models.DecimalField(
                decimal_places=3, default=0, max_digits=15, verbose_name="refunded"
            ),
        ),
        migrations.AlterField(
            model_name="ordersummary",
            name="state",
            field=models.CharField(
                blank=True,
                choices=[
                    ("placed", "placed"),
                    ("reserved", "reserved"),
                    ("paid", "paid"),
                    ("shipped", "shipped"),
                    ("delivered", "delivered"),
                    ("completed", "completed"),
                    ("cancelled", "cancelled"),
                ],
                max_length=10,
                verbose_name="state",
            ),
        ),
        migrations.CreateModel(
            name="OrderFigures",
            fields=[
                (
                    "key",
                    models.CharField(
                        max_length=200, primary_key=True, serialize=False, verbose_name="key"
                    ),
                ),
                ("month", models.CharField(max_length=7, verbose_name="month")),
                ("currency", models.CharField(max_length=3, verbose_name="currency")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("placed", "placed"),
                            ("reserved", "reserved"),
                            ("paid", "paid"),
                            ("shipped", "shipped"),
                            ("delivered", "delivered"),
                            ("completed", "completed"),
                            ("cancelled", "cancelled"),
                        ],
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                (
                    "payment",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("paid", "paid"),
                            ("failed", "failed"),
                            ("refunded", "refunded"),
                            ("prevented", "refunded before it was asked for"),
                        ],
                        max_length=10,
                        verbose_name="payment",
                    ),
                ),
                (
                    "failed_step",
                    models.CharField(blank=True, max_length=100, verbose_name="failed at"),
                ),
                (
                    "delivery_days",
                    models.PositiveSmallIntegerField(null=True, verbose_name="days to delivery"),
                ),
                ("orders", models.BigIntegerField(default=0, verbose_name="orders")),
                (
                    "amount",
                    models.DecimalField(
                        decimal_places=3, default=0, max_digits=15, verbose_name="total"
                    ),
                ),
                (
                    "charged",
                    models.DecimalField(
                        decimal_places=3, default=0, max_digits=15, verbose_name="charged"
                    ),
                ),
                (
                    "refunded",
                    models.DecimalField(
                        decimal_places=3, default=0, max_digits=15, verbose_name="refunded"
                    ),
                ),
            ],
            options={
                "verbose_name": "figures of orders",
                "verbose_name_plural": "reports",
                "indexes": [models.Index(fields=["currency", "month"], name="order_figures_month")],
            },
        ),
    ]
