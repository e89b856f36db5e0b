-- What came (1) and what went (-1) since the run that this one's ratings go on from; without one all ratings came.
{%- set facts = facts_of_run() -%}
{%- set before = run_gone_on_from() %}

with source as (

    select * from {{ source('gold', 'fact_rating') }}

)

select
    user_id,
    tmdb_id,
    rating,
    {{ '1' if before.run_id is none else 'case when until_place > ' ~ facts.place ~ ' then 1 else -1 end' }} as change
from source
where
    run_id = '{{ facts.run_id }}'
{%- if before.run_id is none %}
    and {{ is_at_place(facts.place) }}
{%- else %}
    and (
        from_place > {{ before.place }} and {{ is_at_place(facts.place) }}
        or until_place <= {{ facts.place }} and {{ is_at_place(before.place) }}
    )
{%- endif %}
