with source as (

    select * from {{ source('gold', 'dim_date') }}

)

select
    date_day,
    year,
    quarter,
    month,
    month_name,
    day
from source
where {{ is_this_run() }}
