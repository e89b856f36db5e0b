{# Every row satisfies the condition; a condition that is null counts as broken. #}
{% test every_row(model, satisfies) %}

select 1 as broken
from {{ model }}
where not coalesce({{ satisfies }}, false)

{% endtest %}
