{# {text}no{/text} #}
{text}Hello
  {{name}}!{/text}
