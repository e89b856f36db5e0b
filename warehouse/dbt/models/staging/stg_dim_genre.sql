with source as (

    select * from {{ source('gold', 'dim_genre') }}

)

select
    genre_id,
    name
from source
where {{ is_this_run() }}
