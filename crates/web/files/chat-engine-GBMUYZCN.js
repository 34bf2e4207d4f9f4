import{a as r}from"./chat-chunk-CGU7GM6W.js";import"./chat-chunk-UWKOPLHP.js";export{r as startEngine};
