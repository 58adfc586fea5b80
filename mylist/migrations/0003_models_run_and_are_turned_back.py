import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('mylist', '0002_fitted_models_as_bytes'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ModelSwitch',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reason', models.CharField(choices=[('fit', 'by itself, after a fit'), ('by_hand', 'switched on by hand'), ('turned_back', 'turned back by hand')], max_length=16, verbose_name='reason')),
                ('at', models.DateTimeField(verbose_name='at')),
            ],
            options={
                'verbose_name': 'switch of models',
                'verbose_name_plural': 'switches of models',
                'ordering': ['-pk'],
            },
        ),
        migrations.AddField(
            model_name='fittedmodel',
            name='checksum',
            field=models.CharField(blank=True, max_length=64, verbose_name='checksum'),
        ),
        migrations.AddField(
            model_name='fittedmodel',
            name='kind',
            field=models.CharField(default='light', max_length=16, verbose_name='kind'),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='fittedmodel',
            name='retired_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='retired at'),
        ),
        migrations.AddField(
            model_name='fittedmodel',
            name='running_since',
            field=models.DateTimeField(blank=True, null=True, verbose_name='running since'),
        ),
        migrations.AddField(
            model_name='fittedmodel',
            name='scores',
            field=models.JSONField(blank=True, default=dict, verbose_name='back-test'),
        ),
        migrations.AddField(
            model_name='fittedmodel',
            name='status',
            field=models.CharField(choices=[('running', 'Running'), ('kept', 'Kept aside'), ('refused', 'Refused'), ('retired', 'Retired'), ('turned_back', 'Turned back'), ('unreadable', 'Unreadable')], default='kept', max_length=16, verbose_name='status'),
        ),
        migrations.AddField(
            model_name='fittedmodel',
            name='verdict',
            field=models.CharField(choices=[('better', 'Better than what was running'), ('refit', 'The running model, fitted again'), ('first', 'The first model, better than the simple ones'), ('worse', 'Not better than what was running'), ('simple', 'Not better than a simple model'), ('barred', 'Turned back by staff before'), ('only', 'Not better than a simple model, but there was none to keep'), ('young', 'Too little history for a back-test'), ('stand_in', 'Fitted without a back-test')], default='stand_in', max_length=16, verbose_name='verdict'),
        ),
        migrations.AddConstraint(
            model_name='fittedmodel',
            constraint=models.UniqueConstraint(condition=models.Q(('status', 'running')), fields=('status',), name='one_running_model'),
        ),
        migrations.AddConstraint(
            model_name='fittedmodel',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('status', 'running'), _negated=True), models.Q(('retired_at__isnull', True), ('running_since__isnull', False)), _connector='OR'), name='a_running_model_runs_since_a_moment'),
        ),
        migrations.AddField(
            model_name='modelswitch',
            name='by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='by'),
        ),
        migrations.AddField(
            model_name='modelswitch',
            name='fitted',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='switches', to='mylist.fittedmodel', verbose_name='fitted model'),
        ),
        migrations.AddField(
            model_name='modelswitch',
            name='instead_of',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='mylist.fittedmodel', verbose_name='instead of'),
        ),
    ]
