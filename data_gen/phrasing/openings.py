"""What stands around the demands in a prompt: openings, headings, and turns of a conversation."""

from __future__ import annotations

#: How a task with a reference answer wants it; the first is the plainest.
BOXED = {
    "en": (
        "Put the final answer in \\boxed{}.",
        "Give your final answer inside \\boxed{}.",
        "State the final result in \\boxed{}.",
        "Wrap the final answer in \\boxed{}.",
    ),
    "zh": ("最终答案放在\\boxed{}中。", "请把最终答案写在\\boxed{}里。", "最后的结果用\\boxed{}括起来。"),
}
PARAGRAPH = {
    "en": (
        "",
        "",
        "A few things to keep in mind. ",
        "When you answer, mind the following. ",
        "Some ground rules. ",
        "A few notes on the form of the reply. ",
        "Please respect what follows. ",
        "How I want it: ",
    ),
    "zh": (
        "",
        "",
        "请注意以下几点。",
        "回答时请遵守下面的要求。",
        "另外有几点说明。",
        "关于回答，有几点要求。",
        "我的要求如下。",
    ),
}
#: Where one demand is all there is.
PARAGRAPH_ONE = {
    "en": ("", "", "", "One thing to keep in mind. ", "There is one condition. ", "How I want it: "),
    "zh": ("", "", "", "请注意一点。", "只有一个要求。", "我的要求如下。"),
}
LIST = {
    "en": (
        "Requirements:",
        "Please stick to the following:",
        "Rules for the answer:",
        "What I need from the reply:",
        "Keep to these points:",
        "Conditions:",
        "When you write your answer:",
        "The answer has to meet these conditions:",
        "A few requests:",
        "Format and content:",
    ),
    "zh": (
        "要求：",
        "请遵守以下几点：",
        "回答须满足：",
        "注意事项：",
        "具体要求如下：",
        "作答时请做到：",
        "几点说明：",
        "格式与内容要求：",
    ),
}
BRIEF = {
    "en": (
        ("Task", "Requirements"),
        ("Question", "How to answer"),
        ("What I need", "Constraints"),
        ("Assignment", "Guidelines"),
        ("Brief", "Ground rules"),
        ("Request", "Please note"),
    ),
    "zh": (("任务", "要求"), ("问题", "回答方式"), ("需求", "限制条件"), ("题目", "作答须知"), ("请求", "注意")),
}
BEFORE = {
    "en": (
        ("Before you read the task, here is how I want it answered.", "Now the task: "),
        ("Please answer the request below under these conditions.", "Request: "),
        ("These rules apply to your answer.", "And here is my request. "),
        ("I have a request, and some rules for the reply.", "The request: "),
        ("For the following task, keep to what I say here.", "Task: "),
        ("The rules first.", "And this is what I'm after: "),
    ),
    "zh": (
        ("在看题之前，先说明回答的要求。", "下面是任务："),
        ("请按照以下条件回答后面的问题。", "问题："),
        ("回答须遵守下面的规则。", "我想请你做的是："),
        ("先说格式和要求。", "任务如下："),
    ),
}
BEFORE_ONE = {
    "en": (
        ("Before you read the task, here is how I want it answered.", "Now the task: "),
        ("Please answer the request below under this condition.", "Request: "),
        ("I have a request, and one rule for the reply.", "The request: "),
        ("For the following task, keep to what I say here.", "Task: "),
    ),
    "zh": (
        ("在看题之前，先说明回答的要求。", "下面是任务："),
        ("请按照下面这个条件回答后面的问题。", "问题："),
        ("回答须遵守下面这条规则。", "我想请你做的是："),
    ),
}
SYSTEM = {
    "en": (
        "You are a careful assistant. Every reply follows these rules.",
        "Whatever the user asks, stick to the rules below.",
        "House style for all replies.",
        "The user's client can only show replies that meet these conditions.",
        "Answer helpfully and obey the following.",
    ),
    "zh": (
        "你是一个细心的助手，每次回答都遵守以下规则。",
        "无论用户问什么，都要遵守下面的要求。",
        "所有回复须符合以下规范。",
        "请认真回答用户的问题，并做到以下几点。",
    ),
}
SYSTEM_ONE = {
    "en": (
        "You are a careful assistant. Every reply follows this rule.",
        "Whatever the user asks, stick to the rule below.",
        "House style for all replies.",
        "Answer helpfully and obey the following.",
    ),
    "zh": (
        "你是一个细心的助手，每次回答都遵守下面这条规则。",
        "无论用户问什么，都要遵守下面的要求。",
        "请认真回答用户的问题，并做到下面这一点。",
    ),
}
TURNS = {
    "en": (
        ("Wait before you answer, I have a few conditions.", "That is all, please answer now."),
        ("Don't start yet: I'd like to add something first.", "Now go ahead."),
        ("I'll give you the details one at a time.", "You can answer now."),
    ),
    "zh": (
        ("先别回答，我还有几个条件。", "就这些，请开始回答。"),
        ("等一下再作答，我补充几点。", "好了，现在请回答。"),
        ("细节我一条一条告诉你。", "可以回答了。"),
    ),
}
TURNS_ONE = {
    "en": (
        ("Wait before you answer, I have a condition.", "That is all, please answer now."),
        ("Don't start yet: I'd like to add something first.", "Now go ahead."),
        ("There is one more detail.", "You can answer now."),
    ),
    "zh": (
        ("先别回答，我还有一个条件。", "就这些，请开始回答。"),
        ("等一下再作答，我补充一点。", "好了，现在请回答。"),
    ),
}
ACKNOWLEDGED = {
    "en": ("Understood.", "Sure, go on.", "Got it.", "Okay, noted.", "All right, what else?"),
    "zh": ("明白。", "好的，请继续。", "收到。", "好的，记下了。", "没问题，还有吗？"),
}
