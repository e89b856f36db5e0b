{# An aggregate without groups gives a row even over no rows: that row is the failure. #}
{% test not_empty(model) %}

select count(*) as row_count
from {{ model }}
having count(*) = 0

{% endtest %}
