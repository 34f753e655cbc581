// Package instruct holds instructions and answers: conversations, demonstrations,
// comparisons and rankings, as people keep them in files of JSON lines (Record), and
// a built-in world of instructions over the stories of package story (World), whose
// right answers are known.
//
// The world has the prompts of InstructGPT (Ouyang et al. 2022, table 6) at any
// scale: those that labelers wrote and those of customers, for supervised
// fine-tuning, the reward model and PPO. What an answer is worth is judged by package
// gold, which nothing that trains may import; labelers, who see that through their
// own eyes and with noise, are package labeler.
package instruct
