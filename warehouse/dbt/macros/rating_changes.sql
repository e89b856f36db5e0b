{#
    A query for the ratings that came (1) or went (-1) between the run before and the run whose facts these are; for all
    ratings, which came, without a run before.
#}
{% macro rating_changes(facts, before) -%}
    select
        user_id,
        tmdb_id,
        rating_tenths,
        {{ '1' if before.run_id is none else 'case when until_place > ' ~ facts.place ~ ' then 1 else -1 end' }} as change
    from {{ source('gold', 'fact_rating') }}
    where
        {{ is_in_partition(facts) }}
        {%- if before.run_id is none %}
        and {{ is_at_place(facts.place) }}
        {%- else %}
        and (
            from_place > {{ before.place }} and {{ is_at_place(facts.place) }}
            or until_place <= {{ facts.place }} and {{ is_at_place(before.place) }}
        )
        {%- endif %}
{%- endmacro %}
