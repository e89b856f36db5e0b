{%- set facts = facts_of_run() -%}

with source as (

    select * from {{ source('gold', 'fact_rating') }}

)

select
    user_id,
    movie_id,
    tmdb_id,
    rating,
    rated_at
from source
where run_id = '{{ facts.run_id }}' and {{ is_at_place(facts.place) }}
