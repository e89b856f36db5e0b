{%- set facts = facts_of_run() -%}

with source as (

    select * from {{ source('gold', 'fact_rating') }}

)

select
    user_id,
    movie_id,
    tmdb_id,
    cast(rating_tenths * 0.1 as decimal(2, 1)) as rating,
    rated_at
from source
where {{ is_in_partition(facts) }} and {{ is_at_place(facts.place) }}
