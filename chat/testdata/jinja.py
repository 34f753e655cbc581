"""Write jinja.json: what transformers makes of conversations with chat templates of known
formats, and of some that try white space and Jinja's parts.

    pip install transformers jinja2
    python chat/testdata/jinja.py > chat/testdata/jinja.json
"""

import json

from transformers.utils.chat_template_utils import render_jinja_template

templates = {
    "chatml": """\
{%- if messages[0].role != 'system' %}
    {{- '<|im_start|>system\\nYou are kind.<|im_end|>\\n' }}
{%- endif %}
{%- for m in messages %}
    {{- '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}
""",
    "llama 2": """\
{%- set system = '' -%}
{%- if messages[0]['role'] == 'system' -%}
    {%- set system = '<<SYS>>\\n' ~ messages[0]['content'] ~ '\\n<</SYS>>\\n\\n' -%}
    {%- set messages = messages[1:] -%}
{%- endif -%}
{%- for m in messages -%}
    {%- if (loop.index0 % 2 == 0) != (m['role'] == 'user') -%}
        {{ raise_exception('user and assistant take turns') }}
    {%- endif -%}
    {%- if m['role'] == 'user' -%}
        {{ bos_token }}[INST] {{ (system if loop.first else '') + m['content'].strip() }} [/INST]
    {%- else %} {{ m['content'].strip() }} {{ eos_token }}{% endif -%}
{%- endfor -%}
""",
    "llama 3": "{{ bos_token }}{% for m in messages %}<|start_header_id|>{{ m['role'] }}<|end_header_id|>\n\n{{ m['content'] | trim }}<|eot_id|>{% endfor %}"
    "{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}",
    "zephyr": """\
{% for m in messages %}
<|{{ m.role }}|>
{{ m.content }}{{ eos_token }}
{% endfor %}
{% if add_generation_prompt %}
<|assistant|>
{% endif %}
""",
    "mistral": """\
{{ bos_token }}
{%- for m in messages %}
    {%- if m.role == 'user' %}
        {{- ' [INST] ' ~ m.content ~ ' [/INST]' }}
    {%- elif m.role == 'assistant' %}
        {{- ' ' ~ m.content ~ eos_token }}
    {%- else %}
        {{- raise_exception('no role ' ~ m.role) }}
    {%- endif %}
{%- endfor %}
""",
    "gemma": """\
{{ bos_token }}
{%- for m in messages -%}
{%- set role = {'assistant': 'model', 'user': 'user'}.get(m.role) or raise_exception('no role ' + m.role) -%}
<start_of_turn>{{ role }}
{{ m.content | trim }}<end_of_turn>
{% endfor -%}
{% if add_generation_prompt %}<start_of_turn>model
{% endif %}
""",
    "vicuna": """\
{% set talk = messages | rejectattr('role', 'equalto', 'system') | list %}
{{- (messages | selectattr('role', 'equalto', 'system') | map(attribute='content') | join('\\n')) or 'A talk.' -}}
{% for m in talk %} {{ 'USER: ' if m.role == 'user' else 'ASSISTANT: ' }}{{ m.content.split('</think>')[-1].lstrip('\\n') }}
{%- if m.role == 'assistant' %}{{ eos_token }}{% endif %}{% endfor %} ASSISTANT:""",
    "alpaca": """\
{%- set ns = namespace(system='Below is a task.') %}
{%- for m in messages if m.role == 'system' %}{% set ns.system = m.content %}{% endfor %}
{{ ns.system }}

{% for m in messages if m.role != 'system' %}
### {{ {'user': 'Instruction', 'assistant': 'Response'}[m.role] }}:
{{ m.content }}

{% endfor %}
### Response:
""",
    "no special tokens": "{% for m in messages %}{{ m.role | upper }}> {{ m.content }}\n{% endfor %}ASSISTANT>",
    "white space": """\
  {% if true %}{{ 'a' }}
  {{ 'b' }}{% endif %}
x {%+ if true %} y {% endif +%}
 {#- gone -#} z
{% for m in messages %}{{ m.content }}{%- endfor %} {{- 'c' -}} {% if true -%} d {%- endif %}
	{# a comment #}
Effort: {{ 'max' }}{%- if true -%}{%- endif -%}e
""",
    "recursion": """\
{%- macro bars(n) -%}
    {%- if n > 0 -%}={{ '|' if n % 5 == 0 else '' }}{{ bars(n - 1) }}{% endif -%}
{%- endmacro -%}
{% for m in messages %}
{{ bars(m.content | length) }} {{ m.role }}: {{ m.content }}
{% endfor %}
""",
    "macros": """\
{%- macro part(m, mark='#') -%}
{{ mark * 2 }} {{ m.role | capitalize }}: {{ m.content | replace('a', 'A') }}
{%- endmacro -%}
{%- macro both(m) -%}{{ part(m) ~ '|' ~ part(m, '=') }}{%- endmacro -%}
{%- for m in messages %}
{% set text %}{{ both(m) }}{% endset %}
{{ text | length }} {{ text }}{{ '.' if loop.last else ';' }}
{%- endfor %}
{% set n = messages | length %}{{ n }}{{ n is odd }} {{ [1, 2, 3][::-1] | join(',') }} {{ messages[-1].content | tojson }} {{ undefined_thing | default('none') }}
{% for i in range(3) %}{% if i == 1 %}{% continue %}{% endif %}{{ i }}{% endfor %}
""",
}
user, assistant, system = "user", "assistant", "system"
talks = [
    [(user, "Hi")],
    [(system, "Be kind."), (user, "Tell me about Mia.")],
    [(user, "  Hi \n"), (assistant, " Hello\n"), (user, "And now? {{ 7 * 7 }} 你好 \"q\" 'x' \\n <b>&lt;")],
    [(system, ""), (user, "a"), (assistant, "<think>\nwell\n</think>\n\nb"), (user, "c"), (assistant, ""), (user, "\t")],
    [(user, "a"), (user, "b")],
    [(user, "a"), (system, "late"), (user, "b\n\nc")],
]
cases = []
for name, template in templates.items():
    for talk in talks:
        messages = [{"role": r, "content": c} for r, c in talk]
        case = {"name": name, "template": template, "messages": messages}
        try:
            texts, _ = render_jinja_template([messages], chat_template=template, add_generation_prompt=True, bos_token="<s>", eos_token="</s>")
            case["text"] = texts[0]
        except Exception as e:
            case["refused"] = f"{type(e).__name__}: {e}"
        cases.append(case)
print(json.dumps(cases, ensure_ascii=False, indent=1))
