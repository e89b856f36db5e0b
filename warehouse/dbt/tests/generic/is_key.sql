{# The column, or the columns together, names one row and is never null. #}
{% test is_key(model, column_name=none, columns=none) %}

{% set key = columns or [column_name] %}

select
    {{ key | join(', ') }},
    count(*) as row_count
from {{ model }}
group by {{ key | join(', ') }}
having
    count(*) > 1
    {%- for column in key %}
    or {{ column }} is null
    {%- endfor %}

{% endtest %}
