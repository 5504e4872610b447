//! What customers and answers say: intents, and short texts of our own in English and Chinese.
//!
//! Other languages borrow the English text behind their tag (`[th] Where is my order?`), so that keyword rules have
//! something to read everywhere. Some messages give no hint; those make keywords imperfect.

use crate::class::{Class, Review};
use crate::tier::Tier;

/// How many intents there are.
const COUNT: usize = 16;

/// One kind of request.
#[derive(Debug)]
pub(crate) struct Intent {
    pub(crate) name: &'static str,
    pub(crate) class: Class,
    /// Relative share within its class.
    pub(crate) share: f64,
    /// Mean share of the question covered by known solutions.
    pub(crate) coverage: f64,
    /// (English, Chinese).
    pub(crate) texts: [(&'static str, &'static str); 3],
}

pub(crate) static INTENTS: [Intent; COUNT] = [
    Intent {
        name: "order_status",
        class: Class::Simple,
        share: 0.32,
        coverage: 0.90,
        texts: [
            ("Where is my order?", "我的订单到哪里了？"),
            (
                "Can you check the status of my order please",
                "帮我查一下订单状态",
            ),
            (
                "My order has not been updated since yesterday, where is it?",
                "物流从昨天就没更新了，到哪了？",
            ),
        ],
    },
    Intent {
        name: "shipping_time",
        class: Class::Simple,
        share: 0.20,
        coverage: 0.88,
        texts: [
            ("How long does shipping take?", "多久能发货？"),
            (
                "When will it arrive if I order today?",
                "今天下单什么时候能到？",
            ),
            (
                "Do you ship to the islands and how much is it",
                "偏远地区发货吗？运费多少",
            ),
        ],
    },
    Intent {
        name: "product_question",
        class: Class::Simple,
        share: 0.18,
        coverage: 0.75,
        texts: [
            ("Is this waterproof?", "这个防水吗？"),
            ("What is the material of this bag?", "这个包是什么材质的？"),
            ("Does it come with a charger?", "带充电器吗？"),
        ],
    },
    Intent {
        name: "size_advice",
        class: Class::Simple,
        share: 0.12,
        coverage: 0.70,
        texts: [
            (
                "I am 165 cm, which size should I take?",
                "身高165穿什么码？",
            ),
            ("Which shade suits fair skin?", "白皮适合哪个色号？"),
            ("Is the size true to fit?", "尺码标准吗？"),
        ],
    },
    Intent {
        name: "coupon",
        class: Class::Simple,
        share: 0.10,
        coverage: 0.85,
        texts: [
            ("How do I use my coupon?", "优惠券怎么用？"),
            ("Is there a discount for two pieces?", "买两件有优惠吗？"),
            ("My voucher does not show at checkout", "结算时优惠券不显示"),
        ],
    },
    Intent {
        name: "return_policy",
        class: Class::Simple,
        share: 0.08,
        coverage: 0.92,
        texts: [
            ("Can I return it if it does not fit?", "不合适可以退货吗？"),
            ("How many days do I have for a return?", "几天内可以退货？"),
            (
                "Do you offer a refund if I change my mind?",
                "不喜欢可以退款吗？",
            ),
        ],
    },
    Intent {
        name: "return_request",
        class: Class::Complex,
        share: 0.26,
        coverage: 0.65,
        texts: [
            (
                "I want to return this, please send me a label",
                "我要退货，给我退货地址",
            ),
            (
                "Please arrange the return of one of the two items",
                "两件里退一件怎么操作",
            ),
            (
                "I would like to exchange it for another size",
                "想换一个尺码",
            ),
        ],
    },
    Intent {
        name: "refund_status",
        class: Class::Complex,
        share: 0.24,
        coverage: 0.60,
        texts: [
            (
                "I sent it back last week, where is my refund?",
                "上周就寄回去了，退款呢？",
            ),
            ("The refund amount is not right", "退款金额不对"),
            ("My refund went to an old card", "退款退到旧卡上了"),
        ],
    },
    Intent {
        name: "payment_problem",
        class: Class::Complex,
        share: 0.20,
        coverage: 0.55,
        texts: [
            (
                "My payment failed but the money is gone",
                "付款失败但是钱扣了",
            ),
            ("I was charged twice", "被重复扣款了"),
            ("The card is declined at checkout", "结算时银行卡被拒"),
        ],
    },
    Intent {
        name: "address_change",
        class: Class::Complex,
        share: 0.16,
        coverage: 0.60,
        texts: [
            (
                "I put the wrong address, please change it",
                "地址填错了，帮我改一下",
            ),
            ("Please deliver to my office instead", "麻烦改送到公司"),
            (
                "The phone number on the parcel must be changed",
                "收件电话要改",
            ),
        ],
    },
    Intent {
        name: "account_access",
        class: Class::Complex,
        share: 0.14,
        coverage: 0.65,
        texts: [
            ("I cannot log in to my account", "账号登录不了"),
            (
                "My account was locked after I changed my phone",
                "换手机后账号被锁了",
            ),
            ("I do not receive the verification code", "收不到验证码"),
        ],
    },
    Intent {
        name: "damaged_item",
        class: Class::Complaint,
        share: 0.30,
        coverage: 0.45,
        texts: [
            (
                "It arrived broken, I want my money back",
                "收到就是坏的，我要退钱",
            ),
            (
                "The box was crushed and the bottle leaked, it is damaged",
                "盒子压扁了，瓶子漏了，破损",
            ),
            (
                "The screen is cracked, this is unacceptable",
                "屏幕碎了，太过分了",
            ),
        ],
    },
    Intent {
        name: "late_delivery",
        class: Class::Complaint,
        share: 0.28,
        coverage: 0.55,
        texts: [
            (
                "It is two weeks late, terrible service, I want to complain",
                "晚了两个星期，服务太差，我要投诉",
            ),
            (
                "You promised Friday and it is still not here",
                "说好周五到，现在还没到",
            ),
            ("Still waiting, this is ridiculous", "还在等，太离谱了"),
        ],
    },
    Intent {
        name: "wrong_item",
        class: Class::Complaint,
        share: 0.20,
        coverage: 0.50,
        texts: [
            ("You sent the wrong item", "发错货了"),
            (
                "This is not the colour I ordered, very disappointed",
                "颜色发错了，很失望",
            ),
            ("One piece is missing from the parcel", "少发了一件"),
        ],
    },
    Intent {
        name: "quality_complaint",
        class: Class::Complaint,
        share: 0.14,
        coverage: 0.40,
        texts: [
            (
                "It stopped working after two days, awful quality",
                "用了两天就坏了，质量太差",
            ),
            ("This is fake, I will report you", "这是假货，我要举报"),
            ("It smells bad and my skin is red", "味道刺鼻，皮肤都红了"),
        ],
    },
    Intent {
        name: "service_complaint",
        class: Class::Complaint,
        share: 0.08,
        coverage: 0.35,
        texts: [
            (
                "Nobody has answered me for three days, I want to complain",
                "三天没人理我，我要投诉",
            ),
            ("Your last agent was rude", "上一个客服态度很差"),
            ("I will leave a bad review", "我要给差评"),
        ],
    },
];

/// First messages that could mean anything.
pub(crate) const AMBIGUOUS: [(&str, &str); 4] = [
    (
        "Hello, I have a question about my order",
        "你好，我想问一下我的订单",
    ),
    ("Hi, can you help me with this?", "在吗？帮我看一下这个"),
    ("Please look at order 4417", "看一下这个订单"),
    ("I have a problem", "我有个问题"),
];

/// Later messages of a customer who was not helped.
pub(crate) const FOLLOW_UPS: [(&str, &str); 4] = [
    ("That did not help", "没有解决"),
    (
        "I already tried that, what else can I do?",
        "试过了，还有别的办法吗？",
    ),
    ("No, that is not what I asked", "我问的不是这个"),
    ("Still not solved", "还是不行"),
];

/// Messages of a customer who asks for a person.
pub(crate) const ASKS_FOR_PERSON: [(&str, &str); 2] = [
    ("I want to talk to a real person", "转人工"),
    ("Please transfer me to an agent", "我要人工客服"),
];

/// What an answer says, by who wrote it. Shop replies carry no information for a policy.
pub(crate) const fn answer_text(tier: Tier, review: Option<Review>) -> &'static str {
    match (tier, review) {
        (Tier::Auto, _) => "Thank you for your message. Here is what I found for you.",
        (Tier::Review, Some(Review::Rejected)) => "Let me put that right: here is what we will do.",
        (Tier::Review, _) => "Thank you for your patience. Please see the details below.",
        (Tier::Human, _) => "I have taken over your case and looked into it personally.",
    }
}

/// One text ready to be handed out, with its length in characters.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) text: String,
    pub(crate) chars: f32,
}

/// What kind of message is written.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    /// A first message with its intent's words.
    Clear(usize),
    /// A first message without a hint.
    Ambiguous,
    /// A later message.
    FollowUp,
    /// A request for a person.
    AsksForPerson,
}

/// All texts in all languages of a shop.
#[derive(Debug)]
pub(crate) struct Messages {
    texts: Vec<Message>,
}

const CLEAR: usize = COUNT * 3;
const PER_LANGUAGE: usize = CLEAR + AMBIGUOUS.len() + FOLLOW_UPS.len() + ASKS_FOR_PERSON.len();

impl Messages {
    pub(crate) fn new<'a>(tags: impl Iterator<Item = &'a str>) -> Self {
        let mut texts = Vec::new();
        for tag in tags {
            let pairs = INTENTS
                .iter()
                .flat_map(|intent| intent.texts)
                .chain(AMBIGUOUS)
                .chain(FOLLOW_UPS)
                .chain(ASKS_FOR_PERSON);
            for (english, chinese) in pairs {
                let text = match tag {
                    "zh" => chinese.to_owned(),
                    "en" => english.to_owned(),
                    _ => format!("[{tag}] {english}"),
                };
                let chars = text.chars().count() as f32;
                texts.push(Message { text, chars });
            }
        }
        Self { texts }
    }

    /// The message of a kind in a language, chosen among its variants by a uniform number in [0, 1).
    pub(crate) fn pick(&self, language: usize, kind: Kind, uniform: f64) -> &Message {
        let (first, count) = match kind {
            Kind::Clear(intent) => (intent * 3, 3),
            Kind::Ambiguous => (CLEAR, AMBIGUOUS.len()),
            Kind::FollowUp => (CLEAR + AMBIGUOUS.len(), FOLLOW_UPS.len()),
            Kind::AsksForPerson => (
                CLEAR + AMBIGUOUS.len() + FOLLOW_UPS.len(),
                ASKS_FOR_PERSON.len(),
            ),
        };
        let variant = (uniform * count as f64) as usize;
        &self.texts[language * PER_LANGUAGE + first + variant]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_has_intents_and_every_kind_a_text() {
        for class in Class::ALL {
            let share: f64 = INTENTS
                .iter()
                .filter(|i| i.class == *class)
                .map(|i| i.share)
                .sum();
            assert!((share - 1.0).abs() < 1e-9, "{class}: {share}");
        }
        let messages = Messages::new(["en", "zh", "th"].into_iter());
        let asks = |language| &messages.pick(language, Kind::AsksForPerson, 0.0).text;
        assert_eq!(asks(0), "I want to talk to a real person");
        assert_eq!(asks(1), "转人工");
        assert_eq!(asks(2), "[th] I want to talk to a real person");
        assert_eq!(messages.pick(1, Kind::AsksForPerson, 0.0).chars, 3.0);
        assert_eq!(
            messages.pick(0, Kind::Clear(1), 0.999).text,
            "Do you ship to the islands and how much is it"
        );
    }
}
