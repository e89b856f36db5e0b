{#
    Rows of a relation where stored_<figure> is not recomputed_<figure>; nothing counts as 0.
    Sums and counts agree exactly; figures that were divided or interpolated within 1e-9 of
    themselves and one unit of the eighth decimal, where real money is rounded.
#}
{% macro disagreements(relation, subject, exact, close=[]) -%}
    {%- for figure in exact + close %}
    {{ 'union all' if not loop.first }}

    select
        cast({{ subject }} as {{ dbt.type_string() }}) as subject,
        '{{ figure }}' as figure,
        cast(stored_{{ figure }} as {{ dbt.type_string() }}) as stored,
        cast(recomputed_{{ figure }} as {{ dbt.type_string() }}) as recomputed
    from {{ relation }}
    where
        abs(coalesce(stored_{{ figure }}, 0) - coalesce(recomputed_{{ figure }}, 0))
        > {{ '1e-8 + 1e-9 * abs(coalesce(recomputed_' ~ figure ~ ', 0))' if figure in close else 0 }}
    {%- endfor %}
{%- endmacro %}
