with source as (

    select * from {{ source('gold', 'cpi_month') }}

)

select
    month,
    value,
    base_month,
    base_value
from source
where {{ is_this_run() }}
